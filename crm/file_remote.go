package crm

import (
	"encoding/json"
	"time"
)

// States of an attachment that is not there. One that is has none.
const (
	FilePending  = "pending"  // it is being fetched
	FileFailed   = "failed"   // it could not be fetched
	FileExpired  = "expired"  // its messenger does not have it any more
	FileTooLarge = "tooLarge" // it is over our limit
)

// FileToFetch is an attachment that its messenger has and we do not yet.
type FileToFetch struct {
	ID        string
	ChatID    string // on the wire
	Message   MessageRef
	Name      string
	MimeType  string
	Size      *int64
	Source    json.RawMessage
	State     string
	Attempts  int
	NotBefore time.Time
}
