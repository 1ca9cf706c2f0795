package crm

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"chatcast/broadcasting/apps"
	"chatcast/models"
)

// Sources of an app.
const (
	AppOfConfig   = "config"   // the configuration file; it cannot be changed here
	AppOfDatabase = "database" // created while the server ran
)

// AppData is a Pusher app as answers show it, without its secrets.
type AppData struct {
	ID                 string         `json:"id"`
	Key                string         `json:"key"`
	Name               string         `json:"name"`
	Source             string         `json:"source"`
	Enabled            bool           `json:"enabled"`
	AllowedOrigins     []string       `json:"allowedOrigins"` // empty: those of the server
	ClientEvents       bool           `json:"clientEvents"`
	SubscriptionCount  bool           `json:"subscriptionCount"`
	UserAuthentication bool           `json:"userAuthentication"`
	Limits             apps.Limits    `json:"limits"`
	Webhooks           []apps.Webhook `json:"webhooks"`
	History            []apps.History `json:"history"`
	OldSecretUntil     *int64         `json:"oldSecretUntil"` // null: only one secret is honoured
	CreatedAt          *int64         `json:"createdAt"`      // null: the app is from the configuration
	UpdatedAt          *int64         `json:"updatedAt"`
}

// AppWithSecret is an app whose secret was just generated. The secret is shown only
// this once.
type AppWithSecret struct {
	AppData
	Secret string `json:"secret"`
}

// String returns the app's id and key, without its secret.
func (a AppWithSecret) String() string { return "app " + a.ID + " (key " + a.Key + ")" }

// GoString keeps %#v from showing the secret.
func (a AppWithSecret) GoString() string { return a.String() }

// LogValue keeps slog from showing the secret.
func (a AppWithSecret) LogValue() slog.Value { return slog.StringValue(a.String()) }

// appColumn is a column that stores a part of an app as JSON.
type appColumn struct {
	name string
	text *string
	part any // a pointer
}

func appColumns(row *models.App, a *apps.App) []appColumn {
	return []appColumn{
		{"allowed_origins", &row.AllowedOrigins, &a.AllowedOrigins}, {"limits", &row.Limits, &a.Limits}, {"webhooks", &row.Webhooks, &a.Webhooks},
		{"history", &row.History, &a.History},
	}
}

// readApp returns the app of a row, with its secrets.
func readApp(row *models.App) (apps.App, error) {
	a := apps.App{
		ID: row.ID, Key: row.Key, Secret: row.Secret, Name: row.Name, Enabled: row.Enabled, ClientEvents: row.ClientEvents,
		SubscriptionCount: row.SubscriptionCount, UserAuthentication: row.UserAuthentication,
		OldSecret: row.OldSecret, OldSecretUntil: time.Unix(row.OldSecretUntil, 0), Made: row.CreatedAt, Updated: row.UpdatedAt,
	}
	for _, column := range appColumns(row, &a) {
		if err := json.Unmarshal([]byte(*column.text), column.part); err != nil {
			return a, fmt.Errorf("crm: app %s: column %s: %w", row.ID, column.name, err)
		}
	}
	return a, nil
}

// writeApp copies the editable fields of an app to its row.
func writeApp(row *models.App, a apps.App) error {
	row.Name, row.Enabled, row.ClientEvents = a.Name, a.Enabled, a.ClientEvents
	row.SubscriptionCount, row.UserAuthentication = a.SubscriptionCount, a.UserAuthentication
	for _, column := range appColumns(row, &a) {
		text, err := json.Marshal(column.part)
		if err != nil {
			return err
		}
		*column.text = string(text)
	}
	return nil
}

// storedAppData returns the data of a row as answers show it at the time now.
func storedAppData(row *models.App, now time.Time) (AppData, error) {
	a, err := readApp(row)
	if err != nil {
		return AppData{}, err
	}
	data := appData(a, AppOfDatabase)
	data.CreatedAt, data.UpdatedAt = &row.CreatedAt, &row.UpdatedAt
	if row.OldSecret != "" && row.OldSecretUntil > now.Unix() {
		data.OldSecretUntil = &row.OldSecretUntil
	}
	return data, nil
}

// appData returns an app as answers show it.
func appData(a apps.App, source string) AppData {
	a = a.Clone()
	return AppData{
		ID: a.ID, Key: a.Key, Name: a.Name, Source: source, Enabled: a.Enabled, AllowedOrigins: a.AllowedOrigins,
		ClientEvents: a.ClientEvents, SubscriptionCount: a.SubscriptionCount, UserAuthentication: a.UserAuthentication,
		Limits: a.Limits, Webhooks: hideSecrets(a.Webhooks), History: a.History,
	}
}
