package models

import (
	"cmp"
	"encoding/json"
	"slices"
)

// AppEventRule says since when the events of channels that match a pattern are kept.
type AppEventRule struct {
	AppID    string `gorm:"primaryKey"`
	Pattern  string `gorm:"primaryKey"`
	SinceSeq int64  // events with higher numbers are kept
}

// TableName returns the table's name.
func (AppEventRule) TableName() string { return "app_events_rules" }

// AppEventRules lists the patterns of an app.
func (tx *Tx) AppEventRules(app string) (list []AppEventRule, err error) {
	return list, tx.db.Where("app_id = ?", app).Order("pattern").Find(&list).Error
}

// SetAppEventRules notes that events are kept of channels that match one of the patterns, and
// of no others. What was published before a pattern was there may be missing.
func (tx *Tx) SetAppEventRules(app string, patterns []string) error {
	known, err := tx.AppEventRules(app)
	if err != nil {
		return err
	}
	for _, r := range known {
		if !slices.Contains(patterns, r.Pattern) {
			if err := tx.db.Delete(&r).Error; err != nil {
				return err
			}
		}
	}
	for i, pattern := range patterns {
		if slices.Contains(patterns[:i], pattern) || slices.ContainsFunc(known, func(r AppEventRule) bool { return r.Pattern == pattern }) {
			continue
		}
		last, err := tx.lockAppEvents()
		if err != nil {
			return err
		}
		if err := tx.db.Create(&AppEventRule{AppID: app, Pattern: pattern, SinceSeq: last}).Error; err != nil {
			return err
		}
	}
	return nil
}

// lockAppEvents keeps others from adding events until the transaction ends. It returns the
// last number that was given.
func (tx *Tx) lockAppEvents() (last int64, err error) {
	return last, tx.forUpdate().Table("app_events_state").Where("id = 1").Select("last_seq").Scan(&last).Error
}

// keepRules is SetAppEventRules with the setting of an app.
func (tx *Tx) keepRules(a *App) error {
	var rules []struct {
		Channels string `json:"channels"`
	}
	if err := json.Unmarshal([]byte(cmp.Or(a.History, "[]")), &rules); err != nil {
		return err
	}
	patterns := make([]string, len(rules))
	for i, r := range rules {
		patterns[i] = r.Channels
	}
	return tx.SetAppEventRules(a.ID, patterns)
}
