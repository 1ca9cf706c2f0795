package crm

import (
	"context"
	"fmt"

	"chatcast/broadcasting"
	"chatcast/models"
)

var _ broadcasting.History = (*Journal)(nil)

// Since implements broadcasting.History. It reads a channel as it was published, with all
// of its entries. Whoever reads on behalf of a person must ask the channels.Policy first and
// leave out what channelView leaves out, as Service.Events does: a person's own channel
// has what they could see once, and may see no longer.
func (j *Journal) Since(ctx context.Context, channel string, seq int64, limit int) ([]broadcasting.Entry, error) {
	found, err := j.after(ctx, models.ChannelView{Channel: channel}, seq, limit)
	if err != nil {
		return nil, fmt.Errorf("crm: read the history of a channel: %w", err)
	}
	if found.ahead || found.lost {
		return nil, broadcasting.ErrHistoryLost
	}
	entries := make([]broadcasting.Entry, len(found.rows))
	for i, row := range found.rows {
		if entries[i], err = broadcastEntry(row); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// channelHistory is a part of a channel's journal, with the bounds of the whole
// journal.
type channelHistory struct {
	rows        []models.JournalEntry
	first, last int64 // numbers of the whole journal, see models.JournalBounds
	ahead       bool  // the requested number was never reached: it belongs to another journal
	lost        bool  // entries after the requested number were pruned
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

// after reads at most limit entries of the channel with numbers above seq. With seq 0
// it begins at the first entry that is kept.
func (j *Journal) after(ctx context.Context, v models.ChannelView, seq int64, limit int) (*channelHistory, error) {
	tx := j.store.Read(ctx)
	bounds, err := tx.JournalBounds()
	if err != nil {
		return nil, err
	}
	found := &channelHistory{first: bounds.First, last: bounds.LastSeq, ahead: seq > bounds.LastSeq}
	if found.ahead {
		return found, nil
	}
	if found.rows, err = tx.ChannelJournal(v, seq, bounds.LastSeq, limit); err != nil {
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
