package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"chatcast/channels/dialguard"
	"chatcast/crm"
)

const (
	linkTime      = 2 * time.Minute // for the whole file: less than the limit for one attempt to send
	linkRedirects = 5
	linkTries     = 5
)

// linkError is the reason why a file could not be fetched from the address that an
// operator gave.
type linkError struct {
	code, message string
	again         bool // the next try may succeed
}

func (e *linkError) Error() string { return "whatsapp: linked file: " + e.message }

// newLinkClient returns a client to fetch the files that operators name by address. An
// address could be one that only this machine can reach, so the client dials only the
// public internet, unless allowPrivate is set. With through it dials through a line's
// proxy, which resolves the names: then only an address that is given as such is checked.
func newLinkClient(allowPrivate bool, through dialFunc) *http.Client {
	transport := dialguard.NewTransport(15*time.Second, allowPrivate)
	if through != nil {
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if err := literal(address); err != nil && !allowPrivate {
				return nil, err
			}
			return through(ctx, network, address)
		}
	}
	transport.ResponseHeaderTimeout = 30 * time.Second
	transport.MaxResponseHeaderBytes, transport.DisableKeepAlives = 64<<10, true
	return &http.Client{
		Transport: transport,
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) > linkRedirects {
				return &linkError{codeLink, "the link leads from one address to the next", false}
			}
			if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
				return &linkError{codeLink, "the link leads to an address that is neither http nor https", false}
			}
			return nil
		},
	}
}

// literal returns an error for an address of this machine or of a private network that
// needs no resolver.
func literal(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil && (host == "localhost" || strings.HasSuffix(host, ".localhost")):
		return dialguard.ErrNotPublic
	case err != nil:
		return nil // a name
	case ip.Is4():
		return dialguard.Control("tcp4", address, nil)
	}
	return dialguard.Control("tcp6", address, nil)
}

// getLink fetches a file and passes its body to use. It refuses a response that announces
// more than limit bytes.
func getLink(ctx context.Context, client *http.Client, link string, limit int64, use func(io.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, linkTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return &linkError{codeLink, "the link is no address", false}
	}
	req.Header.Set("User-Agent", deviceName)
	resp, err := client.Do(req)
	if err != nil {
		return unreached(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		again := resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusRequestTimeout
		return &linkError{codeLink, fmt.Sprintf("the link answers with status %d", resp.StatusCode), again}
	}
	if resp.ContentLength > limit {
		return &linkError{codeTooLarge, fmt.Sprintf("the linked file is over %d bytes", limit), false}
	}
	body := &watched{Reader: resp.Body}
	err = use(body)
	var refusal *crm.Error
	switch {
	case body.err != nil:
		return &linkError{codeLink, "the linked file did not come whole", true}
	case errors.As(err, &refusal) && refusal.Code == crm.CodeTooLarge:
		return &linkError{codeTooLarge, fmt.Sprintf("the linked file is over %d bytes", limit), false}
	case errors.As(err, &refusal) && refusal.Code == crm.CodeInvalid:
		return &linkError{codeLink, "the linked file is empty", false}
	}
	return err
}

// watched remembers its reader's error, to tell it from an error of the writer.
type watched struct {
	io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

// unreached returns a description of why there was no response. The text of err may
// reveal our own network, so it goes only into the log.
func unreached(err error) error {
	var mine *linkError
	var name *net.DNSError
	var through *proxyError
	switch {
	case errors.As(err, &mine):
		return mine
	case errors.Is(err, dialguard.ErrNotPublic):
		return &linkError{codeLink, "the link leads to an address that is not of the public internet", false}
	case errors.As(err, &through):
		return &linkError{codeLink, "the line's proxy does not reach the link's host", true}
	case errors.As(err, &name) && name.IsNotFound:
		return &linkError{codeLink, "the link's host does not exist", false}
	case strings.Contains(err.Error(), "certificate"):
		return &linkError{codeLink, "the link's host has no valid certificate", false}
	}
	return &linkError{codeLink, "the link's host does not answer", true}
}

// fetchLinked fetches the linked file of an outbox item into the file store, and sets
// item.Message to refer to it.
func (s *session) fetchLinked(ctx context.Context, item *crm.OutboxItem) error {
	var f *crm.FileToFetch
	err := s.inChat(ctx, item, func(chat string) (err error) {
		f, err = s.m.rules.FileToFetch(ctx, s.on, chat, item.Message.ID)
		return err
	})
	if err != nil {
		return err
	}
	links := s.m.links
	if through := s.dialer().through; through != nil {
		links = newLinkClient(s.m.PrivateLinks, through)
	}
	err = getLink(ctx, links, f.Link, s.m.rules.FileLimit(), func(r io.Reader) error { return s.m.rules.FileFetched(ctx, s.on, f.ID, r) })
	var failed *linkError
	if errors.As(err, &failed) && ctx.Err() == nil {
		s.log.Info("a linked file could not be fetched", "message", item.Message.ID, "attempt", f.Attempts+1, "error", err)
		state := crm.FilePending
		switch {
		case failed.code == codeTooLarge:
			state = crm.FileTooLarge
		case !failed.again || f.Attempts+1 >= linkTries:
			failed = &linkError{failed.code, failed.message, false}
			state = crm.FileFailed
		}
		if err := s.m.rules.FileNotFetched(ctx, s.on, f.ID, state, time.Time{}); err != nil {
			return err
		}
		return failed
	}
	if err != nil {
		return err
	}
	return s.inChat(ctx, item, func(chat string) error {
		now, err := s.m.rules.SentMessage(ctx, s.on, chat, item.Message.ID)
		if err == nil {
			item.Message = now
		}
		return err
	})
}

// inChat reads something in the chat of an outbox item. The chat may have another id since
// the item was read, as when its number becomes another person's. item gets that id then.
func (s *session) inChat(ctx context.Context, item *crm.OutboxItem, read func(chat string) error) error {
	for {
		err := read(item.ChatID)
		var refusal *crm.Error
		if !errors.As(err, &refusal) || refusal.Code != crm.CodeNotFound {
			return err
		}
		now, failed := s.m.rules.OutboxItem(ctx, s.on, item.ID)
		if failed != nil {
			return failed
		}
		if now.ChatID == item.ChatID {
			return err
		}
		s.uploads.rename(item.ChatID, now.ChatID)
		item.ChatID, item.LID = now.ChatID, now.LID
	}
}
