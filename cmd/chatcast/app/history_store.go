package app

import (
	"context"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/broadcasting/history"
	"chatcast/models"
)

// historyPage bounds the data of a page of a history, which is held in memory.
const historyPage = 1 << 20

// historyStore keeps the histories of apps in the database.
type historyStore struct{ store *models.Store }

var _ history.Store = historyStore{}

// NewHistoryStore returns a history.Store on the database.
func NewHistoryStore(store *models.Store) history.Store { return historyStore{store} }

// Append implements history.Store.
func (s historyStore) Append(ctx context.Context, list []broadcasting.KeptEvent) error {
	now := time.Now()
	rows := make([]models.AppEvent, len(list))
	for i, e := range list {
		rows[i] = models.AppEvent{
			AppID: e.App, Channel: e.Channel, Name: []byte(e.Name), Data: []byte(e.Data), ExceptSocket: e.Except,
			CreatedAtMS: now.UnixMilli(), ExpiresAtMS: now.Add(e.Keep).UnixMilli(),
		}
	}
	return s.store.Tx(ctx, func(tx *models.Tx) error { return tx.AppendAppEvents(rows) })
}

// Last implements history.Store.
func (s historyStore) Last(ctx context.Context) (int64, error) {
	return s.store.Read(ctx).LastAppEvent()
}

// After implements history.Store.
func (s historyStore) After(ctx context.Context, seq int64, limit int) ([]history.Event, bool, error) {
	rows, more, err := s.store.Read(ctx).AppEventsAfter(seq, limit, historyPage)
	list := make([]history.Event, len(rows))
	for i, r := range rows {
		list[i] = history.Event{At: time.UnixMilli(r.CreatedAtMS), Event: broadcasting.Event{
			App: r.AppID, Channel: r.Channel, Name: string(r.Name), Data: string(r.Data), Except: r.ExceptSocket, Seq: r.Seq,
		}}
	}
	return list, more, err
}

// Since implements history.Store.
func (s historyStore) Since(ctx context.Context, app, channel string, seq int64, limit int) (missed broadcasting.Missed, err error) {
	read := s.store.Read(ctx)
	if missed.Through, err = read.LastAppEvent(); err != nil {
		return missed, err
	}
	rules, err := read.AppEventRules(app)
	if err != nil {
		return missed, err
	}
	since := keptSince(rules, channel, missed.Through)
	from := seq
	if from == 0 { // from the first that is kept
		bounds, err := read.AppChannelBounds(app, channel, since)
		if err != nil {
			return missed, err
		}
		from = bounds.Removed
	}
	rows, more, err := read.AppChannelEvents(app, channel, from, missed.Through, limit, historyPage)
	if err != nil {
		return missed, err
	}
	// The bounds come after the events: those that were removed meanwhile are missing in them.
	bounds, err := read.AppChannelBounds(app, channel, since)
	if err != nil {
		return missed, err
	}
	missed.Oldest = bounds.First
	if bounds.First == 0 {
		missed.Oldest = missed.Through + 1
	}
	if missed.Lost = seq > missed.Through || from < bounds.Removed; missed.Lost {
		return missed, nil
	}
	missed.More = more
	missed.Entries = make([]broadcasting.Entry, len(rows))
	for i, r := range rows {
		missed.Entries[i] = broadcasting.Entry{Seq: r.Seq, Name: string(r.Name), Data: string(r.Data), Except: r.ExceptSocket, TimeMS: r.CreatedAtMS}
	}
	return missed, nil
}

// keptSince returns the number after which all events of a channel were kept, and last if none
// are.
func keptSince(rules []models.AppEventRule, channel string, last int64) int64 {
	since := last
	for _, r := range rules {
		if apps.MatchesChannel(r.Pattern, channel) {
			since = min(since, r.SinceSeq)
		}
	}
	return since
}

// keepRules notes which channels of the file's apps are kept. Those of other apps are noted
// when they change.
func (s historyStore) keepRules(ctx context.Context, list []apps.App) error {
	return s.store.Tx(ctx, func(tx *models.Tx) error {
		for _, a := range list {
			patterns := make([]string, len(a.History))
			for i, rule := range a.History {
				patterns[i] = rule.Channels
			}
			if err := tx.SetAppEventRules(a.ID, patterns); err != nil {
				return err
			}
		}
		return nil
	})
}

// RemoveExpired implements history.Store. It begins no transaction when there is nothing to
// remove.
func (s historyStore) RemoveExpired(ctx context.Context, last int64, limit int) (n int, err error) {
	now := time.Now().UnixMilli()
	if any, err := s.store.Read(ctx).AppEventsExpired(now); err != nil || !any {
		return 0, err
	}
	err = s.store.Tx(ctx, func(tx *models.Tx) error {
		n, err = tx.RemoveExpiredAppEvents(now, last, limit)
		return err
	})
	return n, err
}

// Bytes implements history.Store.
func (s historyStore) Bytes(ctx context.Context) (map[string]int64, error) {
	return s.store.Read(ctx).AppEventBytes()
}

// RemoveExcess implements history.Store.
func (s historyStore) RemoveExcess(ctx context.Context, app string, most, last int64, limit int) (n int, err error) {
	err = s.store.Tx(ctx, func(tx *models.Tx) error {
		n, err = tx.RemoveExcessAppEvents(app, most, last, limit)
		return err
	})
	return n, err
}
