package broadcasting

import (
	"context"
	"errors"
)

// ErrHistoryLost is returned by History when it cannot continue from a position:
// entries after it are no longer kept, or the position belongs to another journal.
var ErrHistoryLost = errors.New("broadcasting: the history cannot go on from there")

// History returns the numbered events of the journal by channel. It is available on
// every node.
type History interface {
	// Since lists at most limit entries of the channel with numbers above seq, in
	// order. If it returns limit entries, there may be more. The position before the
	// first kept entry is 0. The last entries may not be published yet. Since returns
	// ErrHistoryLost when entries above seq are no longer kept, and when seq is above
	// all numbers.
	Since(ctx context.Context, channel string, seq int64, limit int) ([]Entry, error)
}
