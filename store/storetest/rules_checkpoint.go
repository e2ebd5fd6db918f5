package storetest

import (
	"github.com/stretchr/testify/require"

	"github.com/go-roomkit/roomkit"
	"github.com/go-roomkit/roomkit/store"
)

func checkpointRules() []Rule {
	return []Rule{
		{"checkpoint/compared", "A checkpoint moves only from the cursor that is stored, else the change is ErrConflict.", checkpointCompared},
		{"checkpoint/begins-empty", "A checkpoint that was never stored is the empty cursor, and can go back to it.", checkpointBeginsEmpty},
		{"checkpoint/by-name", "Checkpoints of different names are independent.", checkpointByName},
	}
}

func (k *kit) checkpoint(name string) roomkit.Cursor {
	k.Helper()
	return k.load(store.Need{Checkpoint: name}).Checkpoint
}

func checkpointCompared(k *kit) {
	r := k.found(1, roomkit.KindGeneral, ann, bob)
	one := k.tail()
	k.must(k.change(checkpoint("f", "", one), r.join(cho)))
	two := k.tail()
	k.refuse(roomkit.ErrConflict, k.change(checkpoint("f", "", two), r.clone().join(dan)))
	k.refuse(roomkit.ErrConflict, k.change(checkpoint("f", two, two), r.clone().join(dan)))
	k.refuse(roomkit.ErrConflict, k.change(checkpoint("f", two, "")))
	k.must(k.change(checkpoint("f", one, two)))
	require.Equal(k, two, k.checkpoint("f"))
	k.refuse(roomkit.ErrConflict, k.change(checkpoint("f", one, two)))
}

func checkpointBeginsEmpty(k *kit) {
	require.Empty(k, k.checkpoint("f"))
	k.refuse(roomkit.ErrConflict, k.change(checkpoint("f", k.tail(), k.tail())))
	k.must(k.change(checkpoint("f", "", "")))
	k.must(k.change(checkpoint("f", "", k.tail())))
	k.must(k.change(checkpoint("f", k.tail(), "")))
	require.Empty(k, k.checkpoint("f"))
	k.must(k.change(checkpoint("f", "", k.tail())))
}

func checkpointByName(k *kit) {
	names := []string{"f", "F", "f ", "ff", "Übersicht/1", "a:b"}
	cursors := map[string]roomkit.Cursor{}
	for _, name := range names {
		k.must(k.change(k.putUser(bob, nil)))
		cursors[name] = k.tail()
		k.must(k.change(checkpoint(name, "", cursors[name])))
	}
	for _, name := range names {
		require.Equal(k, cursors[name], k.checkpoint(name), "%q", name)
	}
}
