package natsstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/internal/backoff"
)

const (
	defaultStream   = "roomkit"
	defaultReplicas = 3
	defaultPatience = 15 * time.Second
	leastPatience   = 100 * time.Millisecond
	// In the stream's metadata: which log it is, and of which installation.
	metadataLog          = "roomkit-log"
	metadataInstallation = "roomkit-installation"
)

var validStream = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (o *Options) complete(js jetstream.JetStream) (Options, error) {
	full := Options{}
	if o != nil {
		full = *o
	}
	full.Stream = cmp.Or(full.Stream, defaultStream)
	full.Replicas = cmp.Or(full.Replicas, defaultReplicas)
	if full.Patience <= 0 {
		full.Patience = defaultPatience
	}
	full.Patience = max(full.Patience, leastPatience)
	switch {
	case js == nil:
		return full, invalid("js", "missing")
	case !validStream.MatchString(full.Stream):
		return full, invalid("Stream", "not of the form "+validStream.String())
	case len(full.Installation) > 128:
		return full, invalid("Installation", "longer than 128 bytes")
	case full.Replicas < 1 || full.Replicas > 5:
		return full, invalid("Replicas", "not between 1 and 5")
	case full.Replicas < defaultReplicas && !full.Weak:
		return full, fmt.Errorf("%w: Replicas is %d", ErrWeak, full.Replicas)
	}
	return full, nil
}

// config gives the settings of a log.
func (o *Options) config(log logID) jetstream.StreamConfig {
	metadata := map[string]string{metadataLog: log.String()}
	if o.Installation != "" {
		metadata[metadataInstallation] = o.Installation
	}
	return jetstream.StreamConfig{
		Name: o.Stream, Description: "the log of roomkit's natsstore", Subjects: []string{o.Stream},
		Retention: jetstream.LimitsPolicy, Storage: jetstream.FileStorage, Replicas: o.Replicas, Discard: jetstream.DiscardNew,
		MaxMsgs: -1, MaxBytes: -1, MaxMsgsPerSubject: -1, MaxMsgSize: -1, MaxConsumers: -1,
		DenyDelete: true, Metadata: metadata,
	}
}

// CreateStream makes the stream with the settings that [Open] demands, if there is none of
// that name. One that is there stays as it is; Open says whether it will do. Several processes may
// call it at the same time. Servers that have just been started are waited for.
func CreateStream(ctx context.Context, js jetstream.JetStream, o *Options) error {
	full, err := o.complete(js)
	if err != nil {
		return fmt.Errorf("natsstore: %w", err)
	}
	var log logID
	rand.Read(log[:]) // never fails
	_, err = patiently(ctx, full.Patience, func(ctx context.Context) (jetstream.Stream, error) {
		stream, err := js.Stream(ctx, full.Stream)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			stream, err = js.CreateStream(ctx, full.config(log))
		}
		return stream, err
	})
	if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return fmt.Errorf("natsstore: %w", err)
	}
	return nil
}

// patiently asks the servers until they answer, each time not longer than an attempt: a question
// while they have no leader gets no answer, later ones do.
func patiently[T any](ctx context.Context, patience time.Duration, do func(context.Context) (T, error)) (is T, err error) {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pauses := backoff.Pauses{First: 50 * time.Millisecond, Longest: time.Second}
	for n := 0; ; n++ {
		is, err = once(waiting, do)
		if err == nil || !passes(err) {
			break
		}
		if pauses.Wait(waiting, n) != nil {
			err = cmp.Or(ctx.Err(), err)
			break
		}
	}
	_, err = classify(err)
	return is, err
}

// once asks the servers one time.
func once[T any](ctx context.Context, do func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	return do(ctx)
}

// passes reports whether servers that have just been started, or have lost their leader, may do
// better later.
func passes(err error) bool {
	var api *jetstream.APIError
	return !errors.As(err, &api) || api.ErrorCode == codeNoPeers || api.Code == unavailable
}

// unavailable is the status of errors of JetStream that may pass.
const unavailable = 503

// check says what in the settings of a stream would lose, hide or reorder messages, and which
// log it is.
func (o *Options) check(c *jetstream.StreamConfig) (log logID, err error) {
	var bad []string
	demand := func(ok bool, what string) {
		if !ok {
			bad = append(bad, what)
		}
	}
	demand(len(c.Subjects) == 1 && c.Subjects[0] == o.Stream, fmt.Sprintf("subjects has to be %q alone", o.Stream))
	demand(c.Retention == jetstream.LimitsPolicy, "retention has to be limits")
	demand(c.Discard == jetstream.DiscardNew, "discard has to be new")
	demand(c.MaxAge == 0, "max_age has to be 0")
	demand(c.MaxMsgsPerSubject <= 0, "max_msgs_per_subject has to be -1")
	demand(c.DenyDelete, "deny_delete has to be set")
	demand(!c.AllowRollup, "allow_rollup_hdrs must not be set")
	demand(!c.AllowMsgTTL, "allow_msg_ttl must not be set")
	demand(!c.AllowDirect, "allow_direct must not be set")
	demand(c.MaxConsumers <= 0, "max_consumers has to be -1")
	demand(c.ConsumerLimits.InactiveThreshold == 0, "consumer_limits must not have inactive_threshold")
	demand(!c.NoAck, "no_ack must not be set")
	demand(!c.Sealed, "the stream must not be sealed")
	demand(c.Mirror == nil && len(c.Sources) == 0, "it must not be a mirror or have sources")
	demand(c.SubjectTransform == nil, "subject_transform must not be set")
	demand(c.FirstSeq <= 1, "first_seq must not be set")
	demand(c.PersistMode != jetstream.AsyncPersistMode, "persist_mode must not be async")
	name, named := c.Metadata[metadataLog]
	raw, err := hex.DecodeString(name)
	demand(named && err == nil && len(raw) == len(log), "metadata has to have "+metadataLog+", which CreateStream writes")
	if is := c.Metadata[metadataInstallation]; o.Installation != "" && is != o.Installation {
		return log, fmt.Errorf("%w: stream %q is one of the installation %q, not of %q; choose another name", ErrSettings, c.Name, is, o.Installation)
	}
	if len(bad) > 0 {
		return log, fmt.Errorf("%w: stream %q: %s", ErrSettings, c.Name, strings.Join(bad, "; "))
	}
	switch {
	case o.Weak:
	case c.Replicas < o.Replicas:
		return log, fmt.Errorf("%w: stream %q has %d replicas, not %d", ErrWeak, c.Name, c.Replicas, o.Replicas)
	case c.Storage != jetstream.FileStorage:
		return log, fmt.Errorf("%w: stream %q is in memory", ErrWeak, c.Name)
	}
	return logID(raw), nil
}

// checkServers demands that the servers write at once, as far as that can be found out.
func (o *Options) checkServers(ctx context.Context) error {
	switch {
	case o.Weak || o.System == nil && o.SyncAlways:
		return nil
	case o.System == nil:
		return fmt.Errorf("%w: how the servers write cannot be seen from here: say Options.SyncAlways, or give Options.System", ErrWeak)
	}
	answers, err := o.askServers(ctx)
	if err != nil {
		return err
	}
	writing := 0
	for _, a := range answers {
		switch {
		case a.Data.Disabled:
			continue
		case !a.Data.Config.SyncAlways:
			return fmt.Errorf("%w: server %q does not run with sync_interval: always", ErrWeak, a.Server.Name)
		}
		writing++
	}
	if most := o.Replicas/2 + 1; writing < most { // so that a process can start while a node is away
		return fmt.Errorf("%w: %d servers with JetStream have answered, not %d", ErrUnreachable, writing, most)
	}
	return nil
}

// jsz is what a server says of its JetStream.
type jsz struct {
	Server struct {
		Name string `json:"name"`
	} `json:"server"`
	Data struct {
		Disabled bool `json:"disabled"`
		Config   struct {
			SyncAlways bool `json:"sync_always"`
		} `json:"config"`
	} `json:"data"`
	Error *struct {
		Description string `json:"description"`
	} `json:"error"`
}

// serversAnswer is how long further servers have to answer after one did.
const serversAnswer = 500 * time.Millisecond

// askServers asks all servers, and waits a little for each further answer.
func (o *Options) askServers(ctx context.Context) (answers []jsz, err error) {
	inbox := o.System.NewInbox()
	sub, err := o.System.SubscribeSync(inbox)
	if err == nil {
		defer func() { _ = sub.Unsubscribe() }()
		err = o.System.PublishRequest("$SYS.REQ.SERVER.PING.JSZ", inbox, nil)
	}
	for wait := o.Patience; err == nil; wait = serversAnswer {
		var msg *nats.Msg
		waiting, cancel := context.WithTimeout(ctx, wait)
		msg, err = sub.NextMsgWithContext(waiting)
		cancel()
		if err != nil {
			break
		}
		var a jsz
		if err = json.Unmarshal(msg.Data, &a); err == nil && a.Error != nil {
			err = errors.New(a.Error.Description)
		}
		answers = append(answers, a)
	}
	if len(answers) > 0 && errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = nil
	}
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, invalid("System", "is no connection of the system account")
	case err != nil:
		return nil, fmt.Errorf("%w: Options.System: %w", ErrUnreachable, err)
	}
	return answers, nil
}

// Codes of errors of JetStream for which its package has no names.
const (
	codeNoPeers     jetstream.ErrorCode = 10005
	codeNoAccount   jetstream.ErrorCode = 10002
	codeNoResources jetstream.ErrorCode = 10023
	codeNoMemory    jetstream.ErrorCode = 10028
	codeNoStorage   jetstream.ErrorCode = 10047
	codeTooLong     jetstream.ErrorCode = 10054
	codeOtherStream jetstream.ErrorCode = 10060
	codeStoreFailed jetstream.ErrorCode = 10077 // for any reason; the text says which
	codeSealed      jetstream.ErrorCode = 10109
)

// limitReached is how the servers begin to say of a stream that its limits, with which new
// messages are refused, are reached; all replicas say it alike.
const limitReached = "maximum "

// classify adds to an error of the servers or the connection what this package calls it.
// With refused it is certain that nothing was stored.
func classify(err error) (refused bool, classified error) {
	var api *jetstream.APIError
	class := ErrUnreachable
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, context.Canceled), errors.Is(err, jetstream.ErrStreamNameAlreadyInUse), errors.Is(err, roomkit.ErrUnsupported), errors.Is(err, roomkit.ErrUnavailable):
		return false, err
	case errors.Is(err, jetstream.ErrStreamNotFound):
		class, refused = ErrNoStream, true
	case errors.As(err, &api):
		full := api.ErrorCode == codeStoreFailed && strings.HasPrefix(api.Description, limitReached)
		switch api.ErrorCode {
		case codeNoAccount, codeNoResources, codeNoMemory, codeNoStorage, codeStoreFailed:
			if class = ErrFull; api.ErrorCode == codeStoreFailed && !full {
				return false, fmt.Errorf("%w: %w", class, err)
			}
			refused = true
		case codeTooLong, codeOtherStream, codeSealed:
			class, refused = ErrSettings, true
		}
	}
	return refused, fmt.Errorf("%w: %w", class, err)
}
