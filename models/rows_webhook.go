package models

// QueuedWebhook is what is to be delivered to a webhook of an app.
type QueuedWebhook struct {
	ID          int64
	AppID       string
	Endpoint    string // made of its URL
	Events      string // JSON objects, joined with commas
	Count       int
	CreatedAtMS int64 `gorm:"column:created_at_ms"`
	Attempts    int   // in vain
	LastError   string
	TriedAtMS   *int64 `gorm:"column:tried_at_ms"` // the last time
	GivenUp     bool
	QueuedBy    string // the process
}

// TableName is the table's name.
func (QueuedWebhook) TableName() string { return "app_webhook_queue" }

// AnnouncedWebhook is a channel that was told as occupied, or a member that was told as
// added, to whom an app's webhooks go.
type AnnouncedWebhook struct {
	ID      string `gorm:"primaryKey"` // hex SHA-256 of the others; set by who adds it
	AppID   string
	Channel string // as the table has it: quoted
	Member  bool
	UserID  string // as the table has it: quoted
}

// TableName is the table's name.
func (AnnouncedWebhook) TableName() string { return "app_webhook_told" }

// WebhookLease says which process delivers the webhooks of an app.
type WebhookLease struct {
	AppID    string `gorm:"primaryKey"`
	Owner    string // empty: none
	UntilMS  int64  `gorm:"column:until_ms"` // by the database's clock
	QueuedID int64  // the last id that another process has queued under this lease
}

// TableName is the table's name.
func (WebhookLease) TableName() string { return "app_webhook_leases" }
