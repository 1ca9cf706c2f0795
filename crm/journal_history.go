package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/models"
)

var _ broadcasting.History = History{}

// History lists what people have missed of their channels: exactly what Service.Events
// shows them. Nothing is journalled for presence channels, so nothing was missed there.
type History struct{ Service *Service }

// historyView is a view of a channel.
type historyView struct {
	models.ChannelView
	// UpTo is the last number at the time of a view that may change: when the reader gets to
	// see more meanwhile, what follows may be of that. nil: the view does not change.
	UpTo *int64 `json:",omitempty"`
}

// View implements broadcasting.History. A view is a historyView as JSON.
func (h History) View(ctx context.Context, reader, channel string) (string, error) {
	userID, err := strconv.ParseInt(reader, 10, 64)
	if err != nil {
		return "", err
	}
	name, err := channels.Parse(channel)
	if err != nil {
		return "", err
	}
	var v historyView
	if family := name.Room().Family; family == channels.CompanyUser || family == channels.CompanyLines { // of what is in the lines' channels
		bounds, err := h.Service.Store.Read(ctx).JournalBounds() // before the view
		if err != nil {
			return "", fmt.Errorf("crm: read the end of the journal: %w", err)
		}
		v.UpTo = &bounds.LastSeq
	}
	v.ChannelView, err = h.Service.viewOf(ctx, userID, name)
	if errors.Is(err, channels.ErrDenied) {
		return "", broadcasting.ErrRevoked
	}
	if err != nil {
		return "", fmt.Errorf("crm: what %d may read of a channel: %w", userID, err)
	}
	text, err := json.Marshal(v)
	return string(text), err
}

// Position returns a number up to which all events have been published.
func (h History) Position(ctx context.Context) (int64, error) {
	bounds, err := h.Service.Store.Read(ctx).JournalBounds()
	if err != nil {
		return 0, fmt.Errorf("crm: read the position of the journal: %w", err)
	}
	return bounds.Published, nil
}

// Since implements broadcasting.History.
func (h History) Since(ctx context.Context, channel, view string, seq int64, limit int) (missed broadcasting.Missed, err error) {
	if name, err := channels.Parse(channel); err != nil || name.Kind == channels.Presence {
		return broadcasting.Missed{Through: seq}, err
	}
	v := historyView{}
	if err := json.Unmarshal([]byte(view), &v); err != nil {
		return missed, err
	}
	upTo := int64(math.MaxInt64)
	if v.UpTo != nil {
		upTo = *v.UpTo
	}
	found, err := h.Service.Journal.after(ctx, v.ChannelView, seq, upTo, limit, replayPageSize)
	if err != nil {
		return missed, fmt.Errorf("crm: read the history of a channel: %w", err)
	}
	missed = broadcasting.Missed{Oldest: found.first, Through: found.last, Lost: found.ahead || found.lost}
	if missed.Lost {
		return missed, nil
	}
	missed.More = found.more
	missed.Entries = make([]broadcasting.Entry, 0, len(found.rows))
	for _, row := range found.rows {
		entry, err := broadcastEntry(row)
		if err == nil {
			missed.Entries = append(missed.Entries, entry)
			continue
		}
		h.Service.Journal.leaveOut(ctx, row, err)
		if missed.More = true; len(missed.Entries) == 0 {
			missed.Lost, missed.Oldest, missed.Through = true, *row.Seq+1, *row.Seq
		}
		break
	}
	return missed, nil
}

// replayPageSize is the data of a page of a replay, which is kept while sockets take it.
const replayPageSize = 1 << 20

// channelHistory is a part of a channel's journal, with the bounds of the whole
// journal.
type channelHistory struct {
	rows        []models.JournalEntry
	first, last int64 // of the whole journal: the lowest number still kept; the last one that was looked at, or given
	ahead       bool  // the requested number was never reached: it belongs to another journal
	lost        bool  // entries after the requested number were pruned
	more        bool  // there may be more rows
}

// newest reads the last limit entries of the channel up to upTo.
func (j *Journal) newest(ctx context.Context, v models.ChannelView, upTo int64, limit int) (*channelHistory, error) {
	rows, err := j.store.Read(ctx).NewestChannelJournal(v, upTo, limit)
	return &channelHistory{rows: rows, last: upTo}, err
}

// after reads at most limit entries of the channel with numbers above seq and up to upTo, and
// no more once their data has size bytes. With seq 0 it begins at the first entry that is kept.
func (j *Journal) after(ctx context.Context, v models.ChannelView, seq, upTo int64, limit, size int) (*channelHistory, error) {
	tx := j.store.Read(ctx)
	bounds, err := tx.JournalBounds()
	if err != nil {
		return nil, err
	}
	found := &channelHistory{first: bounds.First, last: bounds.LastSeq, ahead: seq > bounds.LastSeq}
	if found.ahead {
		return found, nil
	}
	found.last = max(seq, min(upTo, bounds.LastSeq))
	if found.rows, found.more, err = tx.ChannelJournalPage(v, seq, found.last, limit, size); err != nil {
		return nil, err
	}
	// Read the bounds again: entries pruned between the two queries are missing in
	// rows.
	kept, err := tx.JournalBounds()
	if err != nil {
		return nil, err
	}
	found.first = kept.First
	found.lost = seq > 0 && seq < kept.First-1
	return found, nil
}
