package pgstore

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// All SQL of the store is constant text in readTexts and writeTexts. When a
// store is built, the schema and the prefix are put in, and {rows …} is written
// out: a source of rows x with these columns, which are the first parameters.
const (
	beginReading = iota
	beginWriting
	byIndex
	keepPlans
	waitBriefly
	endTx

	loadFacts
	loadCrowd
	loadTeams
	loadCompanies
	loadNames
	loadCheckpoints
	loadCommands
	loadExact
	loadMore
	pageOfShared
	pageOfPresent
	pageOfParticipants
	pageOfMasters
	pageOfAll
	pageOfUsers
	pageOfFree
	pageOfUserRooms
	pageOfPastRooms
	pageOfCompany
	pageOfPublic
	pageOfFeed
	isPosition
	pageOfRoomHistory
	pageOfHistory

	lockCompanies
	lockTeams
	lockUsers
	lockEnding
	lockRooms
	readCompanies
	readTeams
	readUsers
	readRooms
	insertCompanies
	updateCompanies
	insertTeams
	updateTeams
	deleteTeamMembers
	insertTeamMembers
	insertUsers
	updateUsers
	freeNames
	updateRooms
	insertRooms
	putMembers
	tallyUsers
	tallyCompanies
	putCheckpoints
	endMembers
	insertCommands
	takeTurn
	checkPeople
	checkPlaces
	insertRecords
	isGone
	readParked
	parkRecords
	parkTallies
	lowerParked
	replaceRelied
	addRelied
	addCommands

	statementCount
)

// statement is a text that is prepared once on every connection.
type statement struct {
	name string
	text string
}

// statements have two forms: for one row of {rows …}, and for any number.
type statements struct {
	one, many [statementCount]statement
}

func (s *statements) of(number int, a *args) *statement {
	if a != nil && a.many {
		return &s.many[number]
	}
	return &s.one[number]
}

func (o *Options) statements() *statements {
	var s statements
	for _, texts := range [...]map[int]string{readTexts, writeTexts} {
		for number, text := range texts {
			one, many := rowSources(hideLengths(o.named(text)))
			s.one[number], s.many[number] = newStatement(one), newStatement(many)
		}
	}
	return &s
}

func newStatement(text string) statement {
	sum := sha256.Sum256([]byte(text))
	return statement{name: "roomkit_" + hex.EncodeToString(sum[:12]), text: text}
}

// hideLengths keeps the length of arrays and pages from the planner. It could
// make a cheaper plan for each otherwise, which costs more than running it.
func hideLengths(text string) string {
	text = arrayMark.ReplaceAllString(text, "(SELECT $0)::$1")
	return limitMark.ReplaceAllString(text, "LIMIT (SELECT $1)")
}

var (
	arrayMark  = regexp.MustCompile(`\$\d+::(\w+\[\])`)
	limitMark  = regexp.MustCompile(`LIMIT (\$\d+::bigint)`)
	rowsMark   = regexp.MustCompile(`\{rows ([^}]*)\}`)
	columnsEnd = regexp.MustCompile(`,\s*`)
)

// rowSources writes {rows a text, b bigint} as a row of two parameters and as
// rows of two array parameters. {count} is the parameter behind them.
func rowSources(text string) (one, many string) {
	found := rowsMark.FindStringSubmatch(text)
	if found == nil {
		return text, text
	}
	columns := columnsEnd.Split(found[1], -1)
	heads, values, lists := make([]string, len(columns)), make([]string, len(columns)), make([]string, len(columns))
	for i, column := range columns {
		name, typ, _ := strings.Cut(column, " ")
		heads[i] = name
		values[i] = fmt.Sprintf("$%d::%s", i+1, typ)
		lists[i] = fmt.Sprintf("$%d::%s[]", i+1, typ)
	}
	head := " x(" + strings.Join(heads, ", ") + ")"
	count := fmt.Sprintf("$%d::bigint", len(columns)+1)
	source := func(list string) string {
		return strings.ReplaceAll(strings.Replace(text, found[0], list+head, 1), "{count}", count)
	}
	return source("(VALUES (" + strings.Join(values, ", ") + "))"), source("unnest(" + strings.Join(lists, ", ") + ")")
}
