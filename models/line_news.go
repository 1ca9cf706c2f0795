package models

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// notifyLines is the channel of PostgreSQL on which processes tell each other of lines. It
// carries no contents: whoever may connect to the database may listen.
const notifyLines = "chatcast_lines"

// LineNews is what a process tells the others about lines: a hint to look at once. One that
// is lost costs time.
type LineNews struct {
	What          string
	LicenseID     int64  // of NewsOutbox, NewsLabels and NewsSettings
	MessengerType string // likewise
	Node          string // of NewsCall and NewsAnswer: whom it concerns
	Call          string // of NewsAnswer
}

// What LineNews tell.
const (
	NewsMissed   = "missed"   // anything may have happened: the listening has begun
	NewsOutbox   = "outbox"   // there is more to send
	NewsLabels   = "labels"   // the phone has to be told of labels
	NewsSettings = "settings" // the line has others
	NewsNodes    = "nodes"    // lines were freed
	NewsCall     = "call"     // a call waits for the node
	NewsAnswer   = "answer"   // a call of the node is over
)

func (n LineNews) payload() string {
	switch n.What {
	case NewsOutbox, NewsLabels, NewsSettings:
		return n.What + " " + strconv.FormatInt(n.LicenseID, 10) + " " + n.MessengerType
	case NewsCall, NewsAnswer:
		return n.What + " " + n.Node + " " + n.Call
	}
	return n.What
}

func lineNews(payload string) (n LineNews) {
	what, rest, _ := strings.Cut(payload, " ")
	first, second, _ := strings.Cut(rest, " ")
	switch n.What = what; what {
	case NewsOutbox, NewsLabels, NewsSettings:
		n.MessengerType = second
		n.LicenseID, _ = strconv.ParseInt(first, 10, 64) // of no line if it is none
	case NewsCall, NewsAnswer:
		n.Node, n.Call = first, second
	}
	return n
}

// NotifyLines tells the processes when the transaction commits. On SQLite it does nothing,
// because there is no other process.
func (tx *Tx) NotifyLines(n LineNews) error {
	if !tx.postgres {
		return nil
	}
	return tx.db.Exec("SELECT pg_notify(?, ?)", notifyLines, n.payload()).Error
}

// ListenLines calls heard with what processes tell about lines, this one too, until ctx ends
// or the connection breaks; first with NewsMissed. heard must not block.
func (s *Store) ListenLines(ctx context.Context, heard func(LineNews)) error {
	if !s.postgres {
		<-ctx.Done()
		return nil
	}
	conn, err := s.listener(ctx, "chatcast lines", func(n *pgconn.Notification) { heard(lineNews(n.Payload)) }, notifyLines)
	if err != nil {
		return fmt.Errorf("models: listen: %w", err)
	}
	defer closeListener(ctx, conn)
	heard(LineNews{What: NewsMissed})
	if err := listenOn(ctx, conn); ctx.Err() == nil {
		return fmt.Errorf("models: listen: %w", err)
	}
	return nil
}
