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
	GivenUp     bool   // by an earlier version, which kept it here
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

// WebhookState is how the deliveries to a webhook of an app get on.
type WebhookState struct {
	AppID         string `gorm:"primaryKey"`
	Endpoint      string `gorm:"primaryKey"` // derived from its URL
	Generation    int64  // rises when a person resumes or removes it
	Failures      int64  // in a row
	SinceMS       int64  `gorm:"column:since_ms"`        // when the first of them began
	SuspendedAtMS int64  `gorm:"column:suspended_at_ms"` // 0: not suspended
}

// TableName returns the table's name.
func (WebhookState) TableName() string { return "app_webhook_states" }

// WebhookAttempt is an attempt at a POST to a webhook of an app.
type WebhookAttempt struct {
	ID         int64
	AppID      string
	Endpoint   string
	Kind       string
	Batch      string // the key of the WebhookBatch
	Names      string // of the events, each once, joined with commas
	Count      int64  // of the events
	Attempt    int64  // 0: of what was given up
	Status     int64  // of the answer; 0: none came
	Reason     string
	Error      string
	DurationMS int64 `gorm:"column:duration_ms"`
	Answer     string
	AtMS       int64 `gorm:"column:at_ms"`
}

// TableName returns the table's name.
func (WebhookAttempt) TableName() string { return "app_webhook_log" }

// WebhookBatch is what attempts have posted.
type WebhookBatch struct {
	ID       int64
	Key      string
	AppID    string
	Endpoint string
	Events   string // JSON objects, joined with commas
	Size     int64
	AtMS     int64 `gorm:"column:at_ms"`
}

// TableName returns the table's name.
func (WebhookBatch) TableName() string { return "app_webhook_batches" }
