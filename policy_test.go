package roomkit

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryRightHasARule: a refusal names the rule that forbids, in every kind of room.
func TestEveryRightHasARule(t *testing.T) {
	for _, kind := range Kinds() {
		for _, action := range AllActions() {
			if matrix[kind][action].rule == "" {
				t.Errorf("policy.go says nothing about %s in rooms of kind %s: add the line", action, kind)
			}
		}
	}
	for i := range circumstances {
		require.NotEmpty(t, circumstances[i].Rule, "policy.go: circumstance %d has no rule", i)
	}
}

// TestEveryActionHasItsName: the name of an action is that of its constant.
func TestEveryActionHasItsName(t *testing.T) {
	source, err := os.ReadFile("policy.go")
	require.NoError(t, err)
	_, block, _ := strings.Cut(string(source), "= iota\n")
	block, _, _ = strings.Cut(block, "actionCount")
	word := regexp.MustCompile(`[a-z]([A-Z])`)
	for n, line := range strings.Split(strings.TrimSpace(block), "\n") {
		constant := strings.Fields(line)[0]
		name := strings.ToLower(word.ReplaceAllStringFunc(strings.TrimPrefix(constant, "Action"), func(s string) string { return s[:1] + "_" + s[1:] }))
		if have := actionNames[n+1]; have != name {
			t.Fatalf("policy.go: actionNames lacks %q, the name of %s, between %q and %q", name, constant, actionNames[n], have)
		}
	}
}

// TestMissingLineForbids: where a table says nothing, everybody is refused, and by a rule.
func TestMissingLineForbids(t *testing.T) {
	r := NewRules(Policy{})
	team := &Team{Room: true, Features: true, Photo: true}
	for _, kind := range Kinds() {
		r.rights[kind][ActionDescribe] = right{}
		for st := range Standing(standingCount) {
			r.allowed[kind][st] &^= 1 << ActionDescribe
			rule, why := r.Forbids(ActionDescribe, &Room{Kind: kind, Public: true}, team, st, false)
			require.Equal(t, Rule("COM-02"), rule, "without its line %q may describe a %s", st, kind)
			require.Equal(t, "not possible there", why)
		}
	}
}

func BenchmarkDecision(b *testing.B) {
	r := NewRules(Policy{})
	room := Room{Kind: KindExternalGroup, Features: AllFeatures}
	h := r.holds(&room, &Team{}, false)
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			n++
			decided = r.permits(Action(1+n&15), KindExternalGroup, StandingParticipant|StandingMaster, h)
		}
	})
	b.Run("all_actions", func(b *testing.B) {
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			n++
			allowed = r.actions(KindExternalGroup, Standing(n&15), h)
		}
	})
}

var (
	decided bool
	allowed ActionSet
)
