package whatsapp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
)

var _ crm.PictureMessenger = (*Messenger)(nil)

const (
	maxPicture      = 2 << 20          // bytes; WhatsApp's are 640 pixels wide at most
	picturesWaiting = 500              // chats
	pictureAgain    = time.Hour        // for which a chat that is wanted again is left out
	pictureRest     = 10 * time.Minute // after WhatsApp has asked for less
	pictureTries    = 6                // of a picture that has changed, within some hours
)

// pictures are the chats whose pictures are wanted, the oldest first. It is safe for
// concurrent use.
type pictures struct {
	wake chan struct{}

	mu      sync.Mutex
	waiting []string             // guarded by mu
	changed map[string]bool      // guarded by mu: of these WhatsApp has told of another one
	done    map[string]time.Time // guarded by mu: when they were last taken
	failed  map[string]int       // guarded by mu: tries of changed ones, which are wanted again later
}

func newPictures() *pictures {
	return &pictures{wake: make(chan struct{}, 1), changed: map[string]bool{}, done: map[string]time.Time{}, failed: map[string]int{}}
}

// want adds a chat. When too many wait it does nothing: the chat is wanted again when
// somebody opens it. WhatsApp tells of another picture once, so there is more room for those.
func (p *pictures) want(chatID string, changed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !changed && time.Since(p.done[chatID]) < pictureAgain || chatID == "" {
		return
	}
	_, waits := p.changed[chatID]
	most := picturesWaiting
	if changed {
		most *= 10
	}
	if !waits && len(p.waiting) >= most {
		return
	}
	p.changed[chatID] = changed || p.changed[chatID]
	if !waits {
		p.waiting = append(p.waiting, chatID)
	}
	notify(p.wake)
}

// next takes the first chat, or returns "".
func (p *pictures) next() (chatID string, changed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		return "", false
	}
	chatID, p.waiting = p.waiting[0], p.waiting[1:]
	changed = p.changed[chatID]
	delete(p.changed, chatID)
	if len(p.done) >= 10*picturesWaiting {
		clear(p.done)
	}
	p.done[chatID] = time.Now()
	return chatID, changed
}

// tried notes what came of a try. After a failure a changed picture is wanted again: first
// after rest, then after four times as long each time.
func (p *pictures) tried(chatID string, changed bool, err error, rest time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.failed[chatID] + 1
	if err == nil || !changed || n >= pictureTries || errors.Is(err, errNoPicture) {
		delete(p.failed, chatID)
		return
	}
	p.failed[chatID] = n
	time.AfterFunc(rest<<(2*(n-1)), func() { p.want(chatID, true) })
}

// forget lets a chat be wanted again at once.
func (p *pictures) forget(chatID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.done, chatID)
}

// wantNewPicture notes that WhatsApp has told of another picture, or of none.
func (s *session) wantNewPicture(ctx context.Context, cli *whatsmeow.Client, j types.JID) {
	id := chatID(j)
	if j.Server != types.GroupServer {
		id = s.person(ctx, cli, j, types.EmptyJID).id()
	}
	s.pictures.want(id, true)
}

// WantPicture implements crm.PictureMessenger.
func (m *Messenger) WantPicture(l crm.Line, chatID string) {
	if s := m.serving(l); s != nil {
		s.pictures.want(chatID, false)
	} else if !m.Alone {
		m.wanted.add(l, chatID, time.Now())
	}
}

// fetchPictures asks for the pictures that are wanted, slowly, until ctx ends.
func (s *session) fetchPictures(ctx context.Context) {
	for ctx.Err() == nil {
		rest := time.Duration(0)
		if cli := s.client(); cli != nil && cli.IsLoggedIn() {
			chatID, changed := s.pictures.next()
			if chatID == "" {
				select {
				case <-ctx.Done():
				case <-s.pictures.wake:
				}
				continue
			}
			asked, err := s.picture(ctx, cli, chatID, changed)
			s.pictures.tried(chatID, changed, err, 4*s.m.times.picture)
			if asked {
				rest = s.m.times.picture
			}
			if err != nil && ctx.Err() == nil {
				s.log.Info("the picture of a chat is not known", "error", err)
			}
			var refusal *whatsmeow.IQError
			if errors.As(err, &refusal) && refusal.Code == 429 {
				rest = pictureRest
			}
		} else {
			rest = s.m.times.picture
		}
		if rest > 0 && wait(ctx, rest) != nil {
			return
		}
	}
}

// picture asks WhatsApp for the picture of a chat, if that is due, and stores what it says.
func (s *session) picture(ctx context.Context, cli *whatsmeow.Client, chatID string, changed bool) (asked bool, err error) {
	known, due, err := s.m.rules.PictureDue(ctx, s.on, chatID, changed)
	var missing *crm.Error
	if errors.As(err, &missing) && missing.Code == crm.CodeNotFound {
		s.pictures.forget(chatID) // it may begin at any time
		return false, nil
	}
	if err != nil || !due {
		return false, err
	}
	j, err := jidOf(chatID)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.m.times.answer)
	defer cancel()
	info, err := cli.GetProfilePictureInfo(ctx, j, &whatsmeow.GetProfilePictureParams{ExistingID: known})
	p := crm.Picture{State: crm.PictureShown, ID: known}
	switch {
	case errors.Is(err, whatsmeow.ErrProfilePictureUnauthorized):
		p = crm.Picture{State: crm.PictureHidden}
	case errors.Is(err, whatsmeow.ErrProfilePictureNotSet):
		p = crm.Picture{State: crm.PictureNone}
	case err != nil:
		return true, err
	case info != nil:
		p.ID = info.ID
		if p.File, err = s.downloadPicture(ctx, info.URL); err != nil {
			return true, err
		}
	case known == "": // WhatsApp says that the one that we have is right, and we have none
		p = crm.Picture{State: crm.PictureNone}
	}
	return true, s.m.rules.SetPicture(ctx, s.on, chatID, p)
}

var errNoPicture = errors.New("whatsapp: the file is no picture")

// downloadPicture stores the picture at an address of WhatsApp. It goes through the proxy
// of the line. Pictures are not encrypted.
func (s *session) downloadPicture(ctx context.Context, address string) (*crm.Upload, error) {
	s.mu.Lock()
	files := s.files
	s.mu.Unlock()
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || !strings.HasSuffix(u.Hostname(), ".whatsapp.net") || files == nil {
		return nil, errors.New("whatsapp: the address of a picture is not WhatsApp's")
	}
	req, err := http.NewRequestWithContext(atMost(ctx, maxPicture), http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	direct := http.Client{Transport: files.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := direct.Do(req)
	if err != nil {
		return nil, errors.New("whatsapp: a picture could not be fetched") // the error would name the signed address
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("whatsapp: a picture could not be fetched: %s", resp.Status)
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	kind := http.DetectContentType(data)
	ending, ok := map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}[kind]
	if !ok {
		return nil, errNoPicture
	}
	return s.m.rules.StoreFile(ctx, s.on, "picture"+ending, kind, bytes.NewReader(data))
}
