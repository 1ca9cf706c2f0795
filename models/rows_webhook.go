package models

// QueuedWebhook is a delivery to a webhook of an app that is still to be made.
type QueuedWebhook struct {
	ID          int64
	AppID       string
	Endpoint    string // derived from its URL
	Events      string // JSON objects, joined with commas
	Count       int
	CreatedAtMS int64 `gorm:"column:created_at_ms"`
	Attempts    int   // failed attempts
	LastError   string
	TriedAtMS   *int64 `gorm:"column:tried_at_ms"` // of the last attempt
	GivenUp     bool
	QueuedBy    string // the process that queued it
}

// TableName returns the table's name.
func (QueuedWebhook) TableName() string { return "app_webhook_queue" }

// AnnouncedWebhook is a channel that was announced as occupied, or a member that was
// announced as added, to an app's webhooks.
type AnnouncedWebhook struct {
	ID      string `gorm:"primaryKey"` // hex SHA-256 of the other fields; set by the caller
	AppID   string
	Channel string // quoted, as the table has it
	Member  bool
	UserID  string // quoted, as the table has it
}

// TableName returns the table's name.
func (AnnouncedWebhook) TableName() string { return "app_webhook_told" }

// WebhookLease names the process that delivers the webhooks of an app.
type WebhookLease struct {
	AppID    string `gorm:"primaryKey"`
	Owner    string // empty: none
	UntilMS  int64  `gorm:"column:until_ms"` // by the database's clock
	QueuedID int64  // the last id that another process has queued under this lease
}

// TableName returns the table's name.
func (WebhookLease) TableName() string { return "app_webhook_leases" }
