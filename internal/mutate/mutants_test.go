package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInstrument(t *testing.T) {
	cases := []struct{ name, src, want string }{
		{"guard", "func f() {\n\tif a() {\n\t\treturn\n\t}\n}", "func f() {\n\tif (mutantIsNot(1) && (a())) {\n\t\treturn\n\t}\n}"},
		{
			"conditions nest", "func f() bool { return a && (b && c) }",
			"func f() bool { return (mutantIs(2) || (a)) && (mutantIs(1) || (((mutantIs(4) || (b)) && (mutantIs(3) || (c))))) }",
		},
		{"call", "func f() { g() }", "func f() { if mutantIsNot(1) { g() } }"},
		{"call in the head of a statement", "func f() { for ; ; g() {\n} }", "func f() { for ; ; g() {\n} }"},
		{
			"call in a select", "func f() { select {\ncase <-a:\n\tg()\n} }",
			"func f() { select {\ncase <-a:\n\tif mutantIsNot(1) { g() }\n} }",
		},
		{"case", "func f() { switch {\ncase !a:\n} }", "func f() { switch {\ncase (mutantIsNot(1) && (!a)):\n} }"},
		{"case of a value", "func f() { switch x {\ncase g(y):\n} }", "func f() { switch x {\ncase g(y):\n} }"},
		{"effect", "func f() { a, b = c, d }", "func f() { if mutantIs(1) { _ = c; _ = d } else { a, b = c, d } }"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			require.NoError(t, os.WriteFile("apply.go", []byte("package p\n\n"+c.src), 0o600))
			s := &searcher{seen: map[string]int{}}
			got, err := s.instrument("apply.go")
			require.NoError(t, err)
			require.Equal(t, "package p\n\n"+c.want, got)
		})
	}
}

func TestNamesOfMutants(t *testing.T) {
	t.Chdir(t.TempDir())
	src := "package p\n\nfunc (r *R) f() {\n\tif a {\n\t}\n\tif   a {\n\t}\n}\n"
	require.NoError(t, os.WriteFile("p.go", []byte(src), 0o600))
	s := &searcher{seen: map[string]int{}}
	_, err := s.instrument("p.go")
	require.NoError(t, err)
	require.Equal(t, []mutant{{"p.go *R.f: if never a", 1}, {"p.go *R.f: if never a #2", 2}}, s.found)

	excused := map[string]string{"a": "why", "b": "why", "c": "why"}
	require.NoError(t, settle(map[string]string{"a": "", "d": "service"}, excused, false))
	err = settle(map[string]string{"a": "service", "b": "", "d": ""}, excused, true)
	require.ErrorContains(t, err, "excused, but no such mutant: c\nnoticed, but excused: a\nsurvived: d")
}
