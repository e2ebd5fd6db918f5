package console

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/codec"
	"github.com/go-roomkit/roomkit/service"
)

// TestEveryEventHasASentence: a stored sample of each type reads as one, which names who did it
// or whom it is about.
func TestEveryEventHasASentence(t *testing.T) {
	for _, typ := range roomkit.EventTypes() {
		samples, err := filepath.Glob("../testdata/events/" + typ + ".v*.json")
		require.NoError(t, err)
		require.NotEmpty(t, samples, typ)
		for _, sample := range samples {
			data, err := os.ReadFile(sample)
			require.NoError(t, err)
			e, err := codec.Decode([]byte(strings.TrimSpace(string(data))))
			require.NoError(t, err)
			said := sentence(e)
			require.NotEmpty(t, said, "%s: console/sentence.go has no sentence for it", typ)
			require.True(t, strings.HasSuffix(said.String(), "."), "%s: %s", typ, said)
			require.NotContains(t, said.String(), "%!", typ)
			linked := 0
			for _, w := range said {
				if w.Link != "" {
					linked++
				}
			}
			require.Positive(t, linked, "%s: %s", typ, said)
			t.Log(said)
		}
		empty, _ := roomkit.NewEvent(typ)
		require.NotEmpty(t, sentence(empty), typ)
	}
	require.Contains(t, sentence(&roomkit.Unknown{Name: "room.turned"}).String(), "room.turned")
}

// TestSentencesTellCauses: the same event says something else for each cause.
func TestSentencesTellCauses(t *testing.T) {
	people := []roomkit.Person{{User: "ben"}, {User: "cat"}}
	said := map[string]bool{}
	for cause := roomkit.CauseCreated; cause <= roomkit.CauseImported; cause++ {
		m := roomkit.Meta{Actor: roomkit.By("ann"), Cause: cause}
		for _, e := range []roomkit.Event{&roomkit.MemberJoined{Meta: m, People: people}, &roomkit.MemberLeft{Meta: m, People: people}} {
			text := sentence(e).String()
			require.False(t, said[text], text)
			require.Contains(t, text, "ben and cat")
			said[text] = true
		}
	}
	many := make([]roomkit.Person, 500)
	for i := range many {
		many[i].User = "u"
	}
	require.Less(t, len(sentence(&roomkit.MemberJoined{People: many})), 40)
	require.Contains(t, sentence(&roomkit.MemberJoined{People: many}).String(), "and 488 others")
}

// TestEveryProblemHasWords: a problem that the service knows by a name is told.
func TestEveryProblemHasWords(t *testing.T) {
	for p := service.ProblemNoMaster; ; p++ {
		if _, err := service.ParseProblem(p.String()); err != nil {
			require.Len(t, problems, int(p)-1)
			return
		}
		require.NotEmpty(t, problems[p], p)
	}
}
