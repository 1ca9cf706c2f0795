package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/models"
)

var _ broadcasting.History = History{}

// History lists what people have missed of their channels: exactly what Service.Events
// shows them. Nothing is journalled for presence channels, so nothing was missed there.
type History struct{ Service *Service }

// View implements broadcasting.History. A view is a models.ChannelView as JSON.
func (h History) View(ctx context.Context, reader, channel string) (string, error) {
	userID, err := strconv.ParseInt(reader, 10, 64)
	if err != nil {
		return "", err
	}
	name, err := channels.Parse(channel)
	if err != nil {
		return "", err
	}
	view, err := h.Service.viewOf(ctx, userID, name)
	if errors.Is(err, channels.ErrDenied) {
		return "", broadcasting.ErrRevoked
	}
	if err != nil {
		return "", fmt.Errorf("crm: what %d may read of a channel: %w", userID, err)
	}
	text, err := json.Marshal(view)
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
	var v models.ChannelView
	if err := json.Unmarshal([]byte(view), &v); err != nil {
		return missed, err
	}
	found, err := h.Service.Journal.after(ctx, v, seq, limit, replayPageSize)
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
		h.Service.unreadable(ctx, row, err)
		if missed.More = true; len(missed.Entries) == 0 {
			missed.Lost, missed.Oldest, missed.Through = true, *row.Seq+1, *row.Seq
		}
		break
	}
	return missed, nil
}

// unreadable reports an entry that is no event. Reading it again would not help: what
// follows it is sent, and the client is told that something is missing.
func (s *Service) unreadable(ctx context.Context, row models.JournalEntry, err error) {
	s.Log.ErrorContext(ctx, "an entry of the journal cannot be read, and is left out", "seq", *row.Seq, "error", err)
}

// replayPageSize is the data of a page of a replay, which is kept while sockets take it.
const replayPageSize = 1 << 20

// channelHistory is a part of a channel's journal, with the bounds of the whole
// journal.
type channelHistory struct {
	rows        []models.JournalEntry
	first, last int64 // numbers of the whole journal, see models.JournalBounds
	ahead       bool  // the requested number was never reached: it belongs to another journal
	lost        bool  // entries after the requested number were pruned
	more        bool  // there may be more rows
}

// end reads no entries, only the bounds.
func (j *Journal) end(ctx context.Context) (*channelHistory, error) {
	bounds, err := j.store.Read(ctx).JournalBounds()
	if err != nil {
		return nil, err
	}
	return &channelHistory{first: bounds.First, last: bounds.LastSeq}, nil
}

// newest reads the last limit entries of the channel.
func (j *Journal) newest(ctx context.Context, v models.ChannelView, limit int) (*channelHistory, error) {
	tx := j.store.Read(ctx)
	bounds, err := tx.JournalBounds()
	if err != nil {
		return nil, err
	}
	rows, err := tx.NewestChannelJournal(v, bounds.LastSeq, limit)
	return &channelHistory{rows: rows, first: bounds.First, last: bounds.LastSeq}, err
}

// after reads at most limit entries of the channel with numbers above seq, and no more once
// their data has size bytes. With seq 0 it begins at the first entry that is kept.
func (j *Journal) after(ctx context.Context, v models.ChannelView, seq int64, limit, size int) (*channelHistory, error) {
	tx := j.store.Read(ctx)
	bounds, err := tx.JournalBounds()
	if err != nil {
		return nil, err
	}
	found := &channelHistory{first: bounds.First, last: bounds.LastSeq, ahead: seq > bounds.LastSeq}
	if found.ahead {
		return found, nil
	}
	if found.rows, found.more, err = tx.ChannelJournalPage(v, seq, bounds.LastSeq, limit, size); err != nil {
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
