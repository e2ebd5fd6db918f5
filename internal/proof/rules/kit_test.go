package rules_test

import (
	"context"

	"github.com/go-roomkit/roomkit"
)

var ctx = context.Background()

func people(ids ...roomkit.UserID) []roomkit.UserID { return ids }
