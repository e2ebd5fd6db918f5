package roomkit

import "fmt"

// Pruned says that events behind a place in the feed, or behind a version of a subject, are
// forgotten; errors.Is(err, ErrPruned) holds. To pass over them would be a gap that nobody
// notices. Who keeps something of his own that these events would have changed begins anew
// with the rows of the store, and then reads on from the place given here.
type Pruned struct {
	Cursor  Cursor  `json:"cursor,omitzero"`  // of the feed: the first place of which all that follows is there
	Subject Subject `json:"subject,omitzero"` // of a history: whose
	Version Version `json:"version,omitzero"` // of a history: the first version of which all that follows is there
}

// Error says where to go on.
func (p *Pruned) Error() string {
	if p.Subject != (Subject{}) {
		return fmt.Sprintf("pruned: the events of %s up to version %d are forgotten: read the rest, after that version", p.Subject, p.Version)
	}
	return fmt.Sprintf("pruned: what comes here in the feed is forgotten: begin anew with the rows, and read the feed after %q", string(p.Cursor))
}

// Unwrap makes a Pruned an [ErrPruned].
func (p *Pruned) Unwrap() error { return ErrPruned }
