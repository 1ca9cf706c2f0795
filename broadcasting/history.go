package broadcasting

import (
	"context"
	"time"
)

// History returns the numbered events of the journal by channel, as people may read
// them now. It is available on every node.
type History interface {
	// View names the part of the channel that the reader may read now. Readers with equal
	// views share reads. It returns ErrRevoked when the reader may not read the channel.
	// When the reader gets to see more after it, Since must not look beyond that.
	View(ctx context.Context, reader, channel string) (string, error)
	// Since lists at most limit events of a view of the channel with numbers above seq, in
	// order. The position before the first kept event is 0. The last events may not be
	// published yet.
	Since(ctx context.Context, channel, view string, seq int64, limit int) (Missed, error)
}

// Missed is a part of a channel's history.
type Missed struct {
	Entries []Entry
	More    bool  // there may be more entries after these
	Through int64 // without More: nothing that the reader may read is left out up to this number
	Oldest  int64 // the lowest number that is kept in the whole journal

	// Lost means that there are no entries, because those after the position are no longer
	// all kept, or because the journal never reached the position. With More the next one
	// alone is missing: Through is its number, and Oldest the one after it.
	Lost bool
}

// KeptEvent is an event of an app that is added to its channel's history.
type KeptEvent struct {
	Event
	Keep time.Duration // the least time for which it can be read
}
