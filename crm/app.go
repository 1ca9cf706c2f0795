package crm

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"chatcast/models"
)

// Where an app comes from.
const (
	AppOfConfig   = "config"   // the configuration file: not to be changed here
	AppOfDatabase = "database" // made while the server ran
)

// AppData is a Pusher app as it is shown: without its secrets.
type AppData struct {
	ID                 string       `json:"id"`
	Key                string       `json:"key"`
	Name               string       `json:"name"`
	Source             string       `json:"source"`
	Enabled            bool         `json:"enabled"`
	AllowedOrigins     []string     `json:"allowedOrigins"` // empty: the server's
	ClientEvents       bool         `json:"clientEvents"`
	SubscriptionCount  bool         `json:"subscriptionCount"`
	UserAuthentication bool         `json:"userAuthentication"`
	Limits             AppLimits    `json:"limits"`
	Webhooks           []AppWebhook `json:"webhooks"`
	OldSecretUntil     *int64       `json:"oldSecretUntil"` // null: only one secret is honoured
	CreatedAt          *int64       `json:"createdAt"`      // null: it is of the configuration
	UpdatedAt          *int64       `json:"updatedAt"`
}

// AppWithSecret is an app whose secret was just made. It is shown this once.
type AppWithSecret struct {
	AppData
	Secret string `json:"secret"`
}

// String is the app without its secret.
func (a AppWithSecret) String() string { return "app " + a.ID + " (key " + a.Key + ")" }

// GoString keeps %#v from showing the secret.
func (a AppWithSecret) GoString() string { return a.String() }

// LogValue keeps slog from showing the secret.
func (a AppWithSecret) LogValue() slog.Value { return slog.StringValue(a.String()) }

// ServedApp is an app of the database with all that serving it needs, its secrets
// too.
type ServedApp struct {
	AppWithSecret
	OldSecret string // empty: none
	OldUntil  time.Time
	Hooks     []AppWebhook // Webhooks with the values of their headers
}

// appRow is what the columns of a row hold.
type appRow struct {
	origins []string
	limits  AppLimits
	hooks   []AppWebhook
}

func readAppRow(row *models.App) (r appRow, err error) {
	for column, value := range map[string]struct {
		text string
		into any
	}{
		"allowed_origins": {row.AllowedOrigins, &r.origins}, "limits": {row.Limits, &r.limits}, "webhooks": {row.Webhooks, &r.hooks},
	} {
		if err := json.Unmarshal([]byte(value.text), value.into); err != nil {
			return r, fmt.Errorf("crm: app %s: column %s: %w", row.ID, column, err)
		}
	}
	return r, nil
}

// write puts r into the columns of row.
func (r appRow) write(row *models.App) error {
	for _, column := range []struct {
		text *string
		from any
	}{{&row.AllowedOrigins, r.origins}, {&row.Limits, r.limits}, {&row.Webhooks, r.hooks}} {
		text, err := json.Marshal(column.from)
		if err != nil {
			return err
		}
		*column.text = string(text)
	}
	return nil
}

// appData is a row as it is shown at a time.
func appData(row *models.App, now time.Time) (AppData, error) {
	r, err := readAppRow(row)
	if err != nil {
		return AppData{}, err
	}
	data := AppData{
		ID: row.ID, Key: row.Key, Name: row.Name, Source: AppOfDatabase, Enabled: row.Enabled, AllowedOrigins: r.origins,
		ClientEvents: row.ClientEvents, SubscriptionCount: row.SubscriptionCount, UserAuthentication: row.UserAuthentication,
		Limits: r.limits, Webhooks: HideHeaders(r.hooks), CreatedAt: &row.CreatedAt, UpdatedAt: &row.UpdatedAt,
	}
	if row.OldSecret != "" && row.OldSecretUntil > now.Unix() {
		data.OldSecretUntil = &row.OldSecretUntil
	}
	return data, nil
}

// served is a row as it is served.
func served(row *models.App, now time.Time) (ServedApp, error) {
	data, err := appData(row, now)
	if err != nil {
		return ServedApp{}, err
	}
	r, err := readAppRow(row)
	return ServedApp{
		AppWithSecret: AppWithSecret{data, row.Secret}, OldSecret: row.OldSecret, OldUntil: time.Unix(row.OldSecretUntil, 0), Hooks: r.hooks,
	}, err
}
