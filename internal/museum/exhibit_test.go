package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// gallery is a package with one function each of several forms.
const gallery = `package p

type T struct{}

func (t *T) count(n int, more ...int) int {
	if n > 0 {
		return n
	}
	return len(more)
}

func (T) nothing(_ int, _ string) { println("here") }

func either[A, B any](a A, b B) A { return a }
`

func TestHang(t *testing.T) {
	hung := func(t *testing.T, text string) (string, error) {
		t.Chdir(t.TempDir())
		require.NoError(t, os.Mkdir("p", 0o700))
		require.NoError(t, os.WriteFile(filepath.Join("p", "p.go"), []byte(gallery), 0o600))
		x, err := read("a-fault", text)
		require.NoError(t, err)
		texts, err := hang([]*exhibit{x})
		return texts[filepath.Join("p", "p.go")], err
	}
	for name, c := range map[string]struct{ change, hands, copied string }{
		"a method with results": {
			"--- p (*T).count\nif n > 0 {   return\n+++\nif n >= 0 {\n\t\treturn",
			"int {\n\tif exhibitNow == \"a-fault\" { return t.count_a_fault(n, more...) }\n\tif n > 0",
			"func (t *T) count_a_fault(n int, more ...int) int {\n\tif n >= 0 {\n\t\treturn n",
		},
		"parameters without names": {
			"--- p T.nothing\n\"here\"\n+++\n\"there\"",
			"func (unnamed1 T) nothing(_unnamed2 int, _unnamed3 string) {\n\tif exhibitNow == \"a-fault\" { unnamed1.nothing_a_fault(_unnamed2, _unnamed3); return } println(\"here\") }",
			"func (unnamed1 T) nothing_a_fault(_unnamed2 int, _unnamed3 string) { println(\"there\") }",
		},
		"parameters of types": {
			"--- p either\nreturn a\n+++\nreturn *new(A)",
			"if exhibitNow == \"a-fault\" { return either_a_fault[A, B](a, b) }",
			"func either_a_fault[A, B any](a A, b B) A { return *new(A) }",
		},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := hung(t, "story\nfound by: ./p .\n\n"+c.change+"\n")
			require.NoError(t, err)
			require.Contains(t, text, c.hands)
			require.Contains(t, text, c.copied)
		})
	}
	for name, c := range map[string]struct{ change, says string }{
		"a text that is not there":   {"--- p T.nothing\nsomewhere\n+++\nelse", "p T.nothing has 0 places like\nsomewhere"},
		"a text that is there twice": {"--- p (*T).count\nn\n+++\nm", "places like"},
		"no such function":           {"--- p (*T).gone\nn\n+++\nm", "no function (*T).gone in p"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := hung(t, "story\nfound by: ./p .\n\n"+c.change+"\n")
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestReadRefuses(t *testing.T) {
	const change = "\n--- p f\na\n+++\nb\n"
	for name, c := range map[string]struct{ text, says string }{
		"no story":            {"found by: ./p .\n" + change, "a story and a line"},
		"nobody who finds":    {"story\n" + change, "a story and a line"},
		"no tests":            {"story\nfound by: ./p\n" + change, "found by needs"},
		"no change":           {"story\nfound by: ./p .\n", "a change is a line"},
		"nothing to put in":   {"story\nfound by: ./p .\n\n--- p f\na\n", "a change is a line"},
		"nothing to look for": {"story\nfound by: ./p .\n\n--- p f\n\n+++\nb\n", "a change is a line"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read("x", c.text)
			require.ErrorContains(t, err, c.says)
		})
	}
}

// TestVisitRefuses: an exhibit that no test finds, and a test that fails anyway, are told.
func TestVisitRefuses(t *testing.T) {
	script := func(body string) string {
		path := filepath.Join(t.TempDir(), "tests")
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o700))
		return path
	}
	for name, c := range map[string]struct{ tests, says string }{
		"found":                 {"echo '=== RUN'; [ -z \"$" + switchVariable + "\" ]", ""},
		"not found":             {"echo '=== RUN'", "a-fault is not found by . ^T$"},
		"fails without a fault": {"echo '=== RUN'; exit 1", "fails without an exhibit"},
		"no such test":          {"exit 1", "has no test ^T$"},
	} {
		t.Run(name, func(t *testing.T) {
			x := &exhibit{name: "a-fault", finders: []finder{{".", "^T$"}}}
			err := visit([]*exhibit{x}, map[string]string{".": script(c.tests)})
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
		})
	}
}

// TestExhibitsHaveTheirPlaces: each is a change of the code as it is now. Whether its tests
// find it is what the command tries.
func TestExhibitsHaveTheirPlaces(t *testing.T) {
	t.Chdir("../..")
	all, err := readAll(exhibits)
	require.NoError(t, err)
	_, err = hang(all)
	require.NoError(t, err)
}
