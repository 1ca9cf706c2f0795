package broadcasting

import (
	"context"
	"errors"
)

// ErrHistoryLost is what History returns when it cannot go on from a place: entries
// after it are kept no longer, or it is a place of another journal.
var ErrHistoryLost = errors.New("broadcasting: the history cannot go on from there")

// History is the numbered events of the journal, by channel. Every node can ask for
// all of them.
type History interface {
	// Since lists at most limit entries of the channel with numbers above seq, in
	// order; limit of them say that there may be more. 0 is the place before the
	// first entry that is kept. The last entries may not be published yet. It returns
	// ErrHistoryLost when entries above seq are kept no longer, and when seq is above
	// all numbers.
	Since(ctx context.Context, channel string, seq int64, limit int) ([]Entry, error)
}
