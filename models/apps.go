package models

import "errors"

// App is a Pusher app that was created while the server ran.
type App struct {
	ID                 string `gorm:"primaryKey"`
	Key                string
	Secret             string
	OldSecret          string // empty: none
	OldSecretUntil     int64
	Enabled            bool
	Name               string
	AllowedOrigins     string // JSON
	ClientEvents       bool
	SubscriptionCount  bool
	UserAuthentication bool
	Limits             string // JSON
	Webhooks           string // JSON
	History            string // JSON
	CreatedAt          int64
	UpdatedAt          int64 `gorm:"autoUpdateTime:false"`
}

// Apps lists all apps, oldest first.
func (tx *Tx) Apps() ([]App, error) {
	var rows []App
	if err := tx.db.Order("created_at, id").Find(&rows).Error; err != nil {
		return nil, err
	}
	for i := range rows {
		if err := tx.openApp(&rows[i]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// App returns the app, or ErrNotFound.
func (tx *Tx) App(id string) (*App, error) {
	a, err := first[App](tx.db.Where("id = ?", id))
	if err != nil {
		return nil, err
	}
	return a, tx.openApp(a)
}

// openApp replaces what is sealed of a row.
func (tx *Tx) openApp(a *App) error {
	return errors.Join(
		tx.open(appSecret, &a.Secret, a.ID), tx.open(appOldSecret, &a.OldSecret, a.ID), tx.open(appWebhooks, &a.Webhooks, a.ID),
	)
}

// sealApp returns the row of an app.
func (tx *Tx) sealApp(a *App) (*App, error) {
	row := *a
	row.Secret, row.OldSecret = tx.seal(appSecret, a.Secret, a.ID), tx.seal(appOldSecret, a.OldSecret, a.ID)
	row.Webhooks = tx.seal(appWebhooks, a.Webhooks, a.ID)
	return &row, tx.claimKeys()
}

// CountApps returns the number of apps.
func (tx *Tx) CountApps() (n int64, err error) { return n, tx.db.Model(&App{}).Count(&n).Error }

// AppKeyUsed reports whether an app has the key.
func (tx *Tx) AppKeyUsed(key string) (bool, error) {
	var n int64
	err := tx.db.Model(&App{}).Where("key = ?", key).Count(&n).Error
	return n > 0, err
}

// AppsVersion returns a number that rises with each change of apps. When it is read
// before the apps, it is never newer than they are.
func (tx *Tx) AppsVersion() (version int64, err error) {
	return version, tx.db.Raw("SELECT version FROM apps_state WHERE id = 1").Scan(&version).Error
}

// ChangeApps raises the version, and keeps others from changing apps until the
// transaction ends.
func (tx *Tx) ChangeApps() error {
	return tx.db.Exec("UPDATE apps_state SET version = version + 1 WHERE id = 1").Error
}

// CreateApp inserts a, or returns ErrDuplicate when its id or key is taken. What is still
// kept of an earlier app with its id is removed.
func (tx *Tx) CreateApp(a *App) error {
	row, err := tx.sealApp(a)
	if err != nil {
		return err
	}
	if err := tx.create(row); err != nil {
		return err
	}
	if err := tx.forgetAppEvents(a.ID); err != nil {
		return err
	}
	return tx.keepRules(a)
}

// SaveApp writes the fields of an app that may change: all but its id, key and creation
// time.
func (tx *Tx) SaveApp(a *App) error {
	row, err := tx.sealApp(a)
	if err != nil {
		return err
	}
	if err := tx.keepRules(a); err != nil {
		return err
	}
	return tx.db.Model(row).Select("secret", "old_secret", "old_secret_until", "enabled", "name", "allowed_origins",
		"client_events", "subscription_count", "user_authentication", "limits", "webhooks", "history", "updated_at").Updates(row).Error
}

// DeleteApp deletes an app with its queued and announced webhooks, their log and its history,
// which must not pass to another app with its id.
func (tx *Tx) DeleteApp(id string) error {
	return errors.Join(
		tx.db.Delete(&App{}, "id = ?", id).Error,
		tx.db.Delete(&QueuedWebhook{}, "app_id = ?", id).Error,
		tx.db.Delete(&AnnouncedWebhook{}, "app_id = ?", id).Error,
		tx.forgetAppEvents(id),
		tx.KeepWebhooks(id, nil),
		tx.db.Delete(&WebhookState{}, "app_id = ?", id).Error,
	)
}

// ForgetOldSecrets removes replaced secrets of apps and callback URLs that are no longer
// used. It need not announce that.
func (tx *Tx) ForgetOldSecrets(now int64) error {
	const forget = " SET old_secret = '', old_secret_until = 0 WHERE old_secret <> '' AND old_secret_until <= ?"
	return errors.Join(
		tx.db.Exec("UPDATE apps"+forget, now).Error,
		tx.db.Exec("UPDATE callback_urls"+forget, now).Error,
	)
}
