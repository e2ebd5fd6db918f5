package main

import "strings"

// What is told has between these marks what somebody has typed, which does not turn round
// the rest.
const (
	typedFrom = "\u2068"
	typedTo   = "\u2069"
)

// utterance is a text of the chat with names and other typed words in it.
type utterance string

// isolated marks a text as one that somebody has typed.
func isolated(text string) string {
	return typedFrom + strings.NewReplacer(typedFrom, "", typedTo, "").Replace(text) + typedTo
}

// utterancePart is a part of a sentence.
type utterancePart struct {
	Text  string
	Typed bool
}

// Parts are what the chat says and what was typed, in turn.
func (s utterance) Parts() (parts []utterancePart) {
	for part := range strings.SplitSeq(string(s), typedTo) {
		own, theirs, has := strings.Cut(part, typedFrom)
		parts = append(parts, utterancePart{Text: own})
		if has {
			parts = append(parts, utterancePart{theirs, true})
		}
	}
	return parts
}
