package natsstore

import (
	"database/sql"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
)

// Options say how a store uses its log. The zero value, like nil, demands three replicas and
// needs a word on how the servers write: SyncAlways, System or Weak.
type Options struct {
	// Stream is the name of the stream, and of the subject of its messages; by default "roomkit".
	// Letters, digits, "-" and "_", at most 64. One stream is one installation.
	Stream string
	// Installation is a name of the host's own for what the stream belongs to, of at most 128 bytes. CreateStream writes it into the
	// stream, and Open refuses one in which there is another, or none: so two installations
	// that are given one name of a stream by mistake do not share it. Without it nobody notices.
	Installation string
	// Replicas is how many the stream has at least; by default 3.
	Replicas int
	// SyncAlways says that all servers of the stream run with sync_interval: always, which
	// cannot be seen from here. Without it acknowledged commands are lost in a power cut.
	SyncAlways bool
	// System is a connection of the system account. With it the servers are asked how they
	// write when the store is opened, instead of SyncAlways.
	System *nats.Conn
	// Weak accepts fewer replicas, in memory too, and servers that do not write at once:
	// the loss of a node or a power cut takes back commands that were acknowledged.
	Weak bool
	// StaleReads lets everything that reads answer from the copy as it is, without asking the log
	// first whether there is more: a Check may say yes to somebody who was removed through
	// another process moments ago. [Store.Lag] says how far it is behind. Own commits are always seen,
	// and commands are decided on what is fresh.
	StaleReads bool
	// Patience is how long a call waits for servers that do not answer, for instance until they
	// have another leader, which takes 4 to 10 s. By default 15 s. A commit that was sent but not seen
	// in the log by then is [roomkit.ErrUnknownOutcome].
	Patience time.Duration
	// File is the handle to write with of a copy that has a file: one that has
	// InTx(*sql.Tx) store.Store, as sqlitestore has. The file then remembers how far it has applied the
	// log, in the same transaction as the data, and the next process goes on from there. A copy without a
	// File has to be empty, and begins with the newest snapshot, or with the first message if there is none.
	File *sql.DB
	// AcceptedTo is a sequence number of the stream. Up to there the operator has looked at what is
	// wrong with the log: messages that contradict others or are not of this package do nothing then, instead of
	// stopping the store, and results that a writer had otherwise are not compared. All processes have to have the same.
	AcceptedTo uint64
	// Logger is told when the log is out of reach or the store stops, and the stack of a panic. By default nobody is.
	Logger *slog.Logger
}
