package whatsapp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waMmsRetry"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
	"chatcast/crm/whatsapp/media"
)

const (
	fetchPage  = 20
	fetchCheck = 30 * time.Second
	fetchTime  = 30 * time.Minute // for one file
	fetchTries = 8
)

// eagerSize is the size limit, in bytes, of files that are fetched before their message
// is ingested, if that is quick, so that the link works at once. Other files are fetched
// later.
const eagerSize = 16 << 20

// slowPause is the time after a slow file for which no message waits for its file.
const slowPause = 30 * time.Second

// attach adds a message's file. It fetches the file now if that is quick, else the file
// is fetched later.
func (s *session) attach(ctx context.Context, cli *whatsmeow.Client, in *crm.InboundMessage, file *content.Media) {
	if !s.attachLater(in, file) || file.Size > min(eagerSize, s.m.rules.FileLimit()) || time.Now().Unix() < s.slowMedia.Load() {
		return
	}
	quick, cancel := context.WithTimeout(ctx, s.m.times.eager)
	defer cancel()
	err := s.download(quick, cli, file, func(f io.Reader) (err error) {
		in.Attachment, err = s.m.rules.StoreFile(quick, s.on, file.Name, file.Mime, f)
		return err
	})
	if err != nil {
		s.log.Debug("a file is fetched later", "message", in.ID.String(), "error", err)
		in.Attachment = nil
		if quick.Err() != nil { // the next messages do not wait too
			s.slowMedia.Store(time.Now().Add(slowPause).Unix())
		}
	}
}

// attachLater records where a message's file is. It returns false when the message has
// no file.
func (s *session) attachLater(in *crm.InboundMessage, file *content.Media) bool {
	if file == nil {
		return false
	}
	source, err := json.Marshal(file)
	if err != nil { // cannot happen: the fields are plain
		return false
	}
	in.Remote = &crm.RemoteFile{Name: file.Name, MimeType: file.Mime, Source: source, Preview: file.Preview}
	in.Remote.Preview.Thumbnail = media.Thumbnail(file.Preview.Thumbnail)
	if file.Size > 0 {
		in.Remote.Size = &file.Size
	}
	return true
}

// temporary is a file on disk that a download or an upload goes through, so that an
// attachment is never held in memory as a whole.
type temporary struct{ *os.File }

func newTemporary() (*temporary, error) {
	f, err := os.CreateTemp("", "chatcast-media-*")
	if err != nil {
		return nil, err
	}
	return &temporary{f}, nil
}

func (t *temporary) remove() {
	t.Close()
	os.Remove(t.Name())
}

// download fetches and decrypts an attachment, and passes it to use.
func (s *session) download(ctx context.Context, cli *whatsmeow.Client, file *content.Media, use func(io.Reader) error) error {
	t, err := newTemporary()
	if err != nil {
		return err
	}
	defer t.remove()
	const overhead = 64 // of encryption
	err = cli.DownloadToFile(atMost(ctx, s.m.rules.FileLimit()+overhead), file, t.File)
	if err != nil {
		return err
	}
	if _, err := t.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return use(t.File)
}

// fetchFiles fetches the files that were missing when their messages were ingested,
// until ctx ends.
func (s *session) fetchFiles(ctx context.Context) {
	for {
		again := fetchCheck
		if cli := s.client(); cli != nil && cli.IsLoggedIn() {
			if files, err := s.m.rules.FilesToFetch(ctx, s.on, fetchPage); err != nil {
				s.log.Warn("the files to fetch could not be read", "error", err)
			} else {
				if s.fetchAll(ctx, cli, files) && len(files) == fetchPage {
					again = 0
				}
			}
		}
		timer := time.NewTimer(again)
		select {
		case <-ctx.Done():
		case <-s.fetch:
		case <-timer.C:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// fetchAll fetches the files, one after the other. When the file store is unavailable it
// stops and returns false, and the remaining files stay as they are.
func (s *session) fetchAll(ctx context.Context, cli *whatsmeow.Client, files []crm.FileToFetch) bool {
	for i := range files {
		stored := true
		if !unlessPanics(s.log, "fetching a file", func() { stored = s.fetchOne(ctx, cli, &files[i]) }) {
			s.notFetched(ctx, &files[i], crm.FileFailed, time.Time{}, nil)
		}
		if !stored {
			return false
		}
	}
	return true
}

// storeUnavailable reports whether err means that the file store is unavailable.
func storeUnavailable(err error) bool {
	var refusal *crm.Error
	return errors.As(err, &refusal) && refusal.Code == crm.CodeUnavailable
}

// fetchOne fetches one file, or records why it was not fetched. It returns false when
// the file store is unavailable.
func (s *session) fetchOne(ctx context.Context, cli *whatsmeow.Client, f *crm.FileToFetch) (stored bool) {
	state, notBefore := "", time.Time{}
	var file content.Media
	err := json.Unmarshal(f.Source, &file)
	if err == nil && file.Size > s.m.rules.FileLimit() {
		state = crm.FileTooLarge
	} else if err == nil {
		limited, cancel := context.WithTimeout(ctx, fetchTime)
		defer cancel()
		err = s.download(limited, cli, &file, func(r io.Reader) error { return s.m.rules.FileFetched(limited, s.on, f.ID, r) })
		if err == nil || ctx.Err() != nil {
			return true
		}
		if storeUnavailable(err) {
			s.log.Warn("a file waits for the file store", "file", f.ID, "error", err)
			return false
		}
		state, notBefore = s.unfetched(ctx, cli, f, &file, err)
	} else {
		state = crm.FileFailed
	}
	s.notFetched(ctx, f, state, notBefore, err)
	return true
}

// notFetched saves the state of a file that was not fetched because of err.
func (s *session) notFetched(ctx context.Context, f *crm.FileToFetch, state string, notBefore time.Time, err error) {
	s.log.Info("a file was not fetched", "file", f.ID, "state", state, "attempts", f.Attempts, "error", err)
	if err := s.m.rules.FileNotFetched(ctx, s.on, f.ID, state, notBefore); err != nil && ctx.Err() == nil {
		s.log.Warn("the outcome of fetching a file could not be saved", "file", f.ID, "error", err)
	}
}

// unfetched returns the state of a file after a failed download, and when to try again.
// The phone may still have a file that WhatsApp has deleted, so it is asked to upload
// the file again.
func (s *session) unfetched(ctx context.Context, cli *whatsmeow.Client, f *crm.FileToFetch, file *content.Media, err error) (state string, notBefore time.Time) {
	var refusal *crm.Error
	switch {
	case errors.Is(err, whatsmeow.ErrMediaDownloadFailedWith403), errors.Is(err, whatsmeow.ErrMediaDownloadFailedWith404),
		errors.Is(err, whatsmeow.ErrMediaDownloadFailedWith410):
		if f.Attempts > 2 {
			return crm.FileExpired, notBefore
		}
		if err := s.askPhone(ctx, cli, f, file); err != nil {
			s.log.Info("the phone could not be asked for a file", "file", f.ID, "error", err)
		}
		return crm.FilePending, time.Now().Add(s.m.times.phone)
	case errors.Is(err, errTooLong), errors.As(err, &refusal) && refusal.Code == crm.CodeTooLarge:
		return crm.FileTooLarge, notBefore
	case errors.Is(err, whatsmeow.ErrInvalidMediaHMAC), errors.Is(err, whatsmeow.ErrInvalidMediaEncSHA256),
		errors.Is(err, whatsmeow.ErrInvalidMediaSHA256), errors.Is(err, whatsmeow.ErrNoURLPresent),
		errors.Is(err, whatsmeow.ErrTooShortFile), errors.Is(err, whatsmeow.ErrUnknownMediaType):
		return crm.FileFailed, notBefore // the next download would fail in the same way
	}
	if f.Attempts >= fetchTries {
		return crm.FileFailed, notBefore
	}
	return crm.FilePending, time.Now().Add(5 * retryAfter(f.Attempts+1))
}

// askPhone asks the account's phone to upload a file again; the answer comes as
// a MediaRetry.
func (s *session) askPhone(ctx context.Context, cli *whatsmeow.Client, f *crm.FileToFetch, file *content.Media) error {
	chat, err := jidOf(f.ChatID)
	if err != nil {
		return err
	}
	info := &types.MessageInfo{ID: f.Message.ID}
	info.Chat, info.IsFromMe, info.IsGroup = chat, f.Message.FromMe, chat.Server == types.GroupServer
	if info.IsGroup {
		if info.Sender, err = jidOf(f.Message.AuthorID); err != nil {
			return err
		}
	}
	return cli.SendMediaRetryReceipt(ctx, info, file.Key)
}

// mediaAgain handles the phone's answer to askPhone: where the file is now, or that the
// phone does not have it.
func (s *session) mediaAgain(ctx context.Context, cli *whatsmeow.Client, e *events.MediaRetry) (kept bool) {
	chat, ok := s.place(ctx, cli, e.ChatID)
	if !ok || !fitsID(e.MessageID) {
		return true
	}
	f, err := s.m.rules.FileToFetch(ctx, s.on, chat.ID.String(), e.MessageID)
	if err != nil || f == nil {
		s.log.Info("the phone uploaded a file that is not waited for", "message", e.MessageID, "error", err)
		return true
	}
	s.helpers.Go(func() { s.fetchAgain(ctx, cli, f, e) })
	return true
}

func (s *session) fetchAgain(ctx context.Context, cli *whatsmeow.Client, f *crm.FileToFetch, e *events.MediaRetry) {
	var file content.Media
	if json.Unmarshal(f.Source, &file) != nil {
		return
	}
	answer, err := whatsmeow.DecryptMediaRetryNotification(e, file.Key)
	if err == nil && answer.GetResult() == waMmsRetry.MediaRetryNotification_SUCCESS && answer.GetDirectPath() != "" {
		file.URL, file.DirectPath = "", answer.GetDirectPath()
		err = s.download(ctx, cli, &file, func(r io.Reader) error { return s.m.rules.FileFetched(ctx, s.on, f.ID, r) })
		if err == nil {
			return
		}
		if storeUnavailable(err) { // the phone is asked again when the file is next due
			s.log.Warn("a file waits for the file store", "file", f.ID, "error", err)
			return
		}
	}
	s.log.Info("the phone does not have a file any more", "file", f.ID, "error", err)
	if err := s.m.rules.FileNotFetched(ctx, s.on, f.ID, crm.FileExpired, time.Time{}); err != nil {
		s.log.Warn("the outcome of fetching a file could not be saved", "file", f.ID, "error", err)
	}
}
