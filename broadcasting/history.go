package broadcasting

import (
	"context"
	"errors"
)

// ErrHistoryLost is what History returns when entries that were asked for are
// kept no longer.
var ErrHistoryLost = errors.New("broadcasting: the history does not reach back that far")

// History is the numbered events of the journal, by channel. Every node can ask for
// all of them.
type History interface {
	// Since lists at most limit published entries of the channel with numbers above
	// seq, in order; limit of them say that there may be more. It returns
	// ErrHistoryLost when the journal has already removed entries above seq.
	Since(ctx context.Context, channel string, seq int64, limit int) ([]Entry, error)
}
