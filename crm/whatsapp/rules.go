package whatsapp

import (
	"context"
	"io"
	"time"

	"chatcast/crm"
)

// Rules is the part of the CRM that this package uses.
type Rules interface {
	receiving
	sending
	files
	lines
	clustered
}

type receiving interface {
	Ingest(ctx context.Context, on crm.Line, t crm.InboundBatch) (crm.InboundResult, error)
}

type sending interface {
	Outbox(ctx context.Context, on crm.Line, at time.Time, after int64, limit int) ([]crm.OutboxItem, error)
	OutboxAnswers(ctx context.Context, on crm.Line, at time.Time, after int64, limit int) ([]crm.OutboxItem, error)
	OutboxNext(ctx context.Context, on crm.Line, at time.Time) (time.Time, error)
	OutboxItem(ctx context.Context, on crm.Line, id int64) (*crm.OutboxItem, error)
	OutboxStart(ctx context.Context, on crm.Line, id int64) (*crm.OutboxItem, error)
	OutboxDone(ctx context.Context, item crm.OutboxItem, o crm.Outcome) error
	OutboxPark(ctx context.Context, item crm.OutboxItem, until time.Time, why crm.SendError) error
	OutboxHold(ctx context.Context, on crm.Line, until time.Time, inTurn bool, why crm.SendError) error
	ExpireOutbox(ctx context.Context) (int, error)
	SentMessage(ctx context.Context, on crm.Line, chat, id string) (*crm.MessageRef, error)
}

type files interface {
	StoreFile(ctx context.Context, on crm.Line, name, mime string, r io.Reader) (*crm.Upload, error)
	FilesToFetch(ctx context.Context, on crm.Line, limit int) ([]crm.FileToFetch, error)
	FileToFetch(ctx context.Context, on crm.Line, chat, messageID string) (*crm.FileToFetch, error)
	FileFetched(ctx context.Context, on crm.Line, fileID string, r io.Reader) error
	FileNotFetched(ctx context.Context, on crm.Line, fileID, state string, notBefore time.Time) error
	OpenStored(ctx context.Context, on crm.Line, fileID string) (*crm.Attachment, error)
	OpenPost(ctx context.Context, on crm.Line, f crm.StatusFile) (*crm.Attachment, error)
	FileLimit() int64
	PictureDue(ctx context.Context, on crm.Line, chatID string, changed bool) (id string, due bool, err error)
	SetPicture(ctx context.Context, on crm.Line, chatID string, p crm.Picture) error
}

type lines interface {
	SessionOf(ctx context.Context, on crm.Line) (*crm.LineSession, error)
	Sessions(ctx context.Context, messengerType string) ([]crm.LineSession, error)
	SetLineState(ctx context.Context, on crm.Line, st crm.LineState) error
	TellLoss(ctx context.Context, on crm.Line, owner string) (later time.Duration, err error)
	SetAccountLooks(ctx context.Context, on crm.Line, looks crm.AccountLooks) error
	SetLineSeen(ctx context.Context, on crm.Line, seen crm.LineSeen) error
	RateLine(ctx context.Context, on crm.Line) (crm.LineRating, error)
	SetLineRestriction(ctx context.Context, on crm.Line, until *int64) error
	Lease(ctx context.Context, on crm.Line, owner string, ttl time.Duration) (bool, error)
	Release(ctx context.Context, on crm.Line, owner string) error
	BeatLines(ctx context.Context, name, messengerType string, leaving bool) (list []crm.LineNode, kept bool, err error)
	RemoveLines(ctx context.Context, n crm.LineNode) (removed bool, err error)
	LeaveLines(ctx context.Context, name string) error
	LineNodes(ctx context.Context, messengerType string) ([]crm.LineNode, error)
	PublishPresence(ctx context.Context, on crm.Line, p crm.Presence) error
	AccountSettings(ctx context.Context, on crm.Line) (crm.AccountSettings, error)
	AccountDisappears(ctx context.Context, on crm.Line, after, since int64) error
	LabelChanges(ctx context.Context, on crm.Line, after int64, limit int) ([]crm.LabelChange, error)
	LabelsSent(ctx context.Context, on crm.Line, ids []int64) error
	SetBlocked(ctx context.Context, on crm.Line, ids []string) error
	CountChecks(ctx context.Context, on crm.Line, n int) error
	CallRejected(ctx context.Context, on crm.Line, chatID, callID string) error
	PublishQR(ctx context.Context, on crm.Line, p crm.Pairing) error
}

// clustered is what processes use to reach each other's lines.
type clustered interface {
	ListenLines(ctx context.Context, heard func(crm.LineNews)) error
	CallLine(ctx context.Context, c crm.LineCall, within time.Duration) error
	LineCallOver(ctx context.Context, id string) (bool, error)
	DropLineCall(ctx context.Context, id string) (end, answer string, err error)
	TakeLineCalls(ctx context.Context, node string, limit int) ([]crm.LineCall, error)
	AnswerLineCall(ctx context.Context, c crm.LineCall) error
	SweepLineCalls(ctx context.Context) error
}
