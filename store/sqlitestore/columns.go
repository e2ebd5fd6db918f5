package sqlitestore

import (
	"fmt"
	"strings"
)

// The columns of the rows of the contract, each list in the order in which rows.go
// writes and reads it. Statements are made of them. What is true or false is read
// together as the bits of one number, because a driver takes its time for every column
// of a result: a+b+c. Rooms are written so as well.
//
// A new column comes here, into a new file of migrations and into rows.go (one of
// restOfRoom into sameRest and rareOfRoom as well); TestMain tells what is missing.
const (
	usualOfRoom = `id version digest participants masters partners consumers bots changed_at created_at name photo description origin creator
		history_sharing+notify+features_withheld+had_consumers+features`
	restOfRoom = ` kind state company public name_key team party_a party_b message_off_since emptied_at emptied_on`
	ofMember   = `room user company kind participant+master+read_all period joined joined_at joined_version
		epoch_user epoch_company master_epoch_user master_epoch_company "left" left_at left_version left_by`
	ofUser    = `id version company kind status administrator+partners+consumers partners_since partners_lost ended`                   // and groups
	ofCompany = `id version licensed+members_create_groups partners consumers max_groups recall_window partners_off partners_narrowed` // and groups
	ofTeam    = `id version company name leader room features photo preset notify synced_seq`
	ofRecord  = `position subject room id version type at command data`
	ofCommand = `id digest room changed position records events`
)

// columnsOf gives the columns of a list one by one.
func columnsOf(list string) []string {
	return strings.FieldsFunc(list, func(c rune) bool { return strings.ContainsRune(" +\n\t", c) })
}

// selected gives what is selected of a row, without the first columns of the list.
func selected(row, list string, without int) string {
	fields := strings.Fields(list)[without:]
	for i, field := range fields {
		bits := strings.Split(field, "+")
		for bit, column := range bits {
			bits[bit] = row + "." + column
			if bit > 0 {
				bits[bit] = fmt.Sprintf("%d * %s.%s", 1<<bit, row, column)
			}
		}
		fields[i] = strings.Join(bits, " + ")
	}
	return strings.Join(fields, ", ")
}

// padding gives NULL for the columns that a row of a member has more than one of list
// with groups.
func padding(list string) string {
	return listed("NULL", len(strings.Fields(ofMember))-len(strings.Fields(list))-1)
}

// insertion is what an INSERT says before the values, of which marks are one row.
func insertion(table, list string) string {
	return " INTO " + table + " (" + strings.Join(columnsOf(list), ", ") + ") VALUES "
}

func marks(list string) string { return listed("?", len(columnsOf(list))) }

// replaced assigns all columns but the first what was to be inserted.
func replaced(list string) string {
	columns := columnsOf(list)[1:]
	for i, column := range columns {
		columns[i] = column + " = excluded." + column
	}
	return strings.Join(columns, ", ")
}

// parameters gives a numbered parameter, or bits of one, for each column.
func parameters(list string) (all []string) {
	for i, field := range strings.Fields(list) {
		last := strings.Count(field, "+")
		for bit := range last + 1 {
			parameter := fmt.Sprintf("?%d", i+1)
			if bit > 0 {
				parameter += fmt.Sprintf(" >> %d", bit)
			}
			if bit < last {
				parameter += " & 1"
			}
			all = append(all, parameter)
		}
	}
	return all
}

// assigned assigns parameters to all columns but the id.
func assigned(list string) string {
	columns := columnsOf(list)
	for i, parameter := range parameters(list) {
		columns[i] += " = " + parameter
	}
	return strings.Join(columns[1:], ", ")
}
