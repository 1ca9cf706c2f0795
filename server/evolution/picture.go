package evolution

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"chatcast/channels/dialguard"
	"chatcast/crm"
)

// pictureTime is how long a picture may take to be fetched, fileTime another file.
const (
	pictureTime = 30 * time.Second
	fileTime    = 2 * time.Minute
)

// newLinkClient returns a client that fetches what clients name by address, from the public
// internet alone unless private is set.
func newLinkClient(private bool) *http.Client {
	transport := dialguard.NewTransport(15*time.Second, private)
	transport.ResponseHeaderTimeout = pictureTime
	transport.MaxResponseHeaderBytes, transport.DisableKeepAlives = 64<<10, true
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// isLink reports whether a value is an address, and no file in base64.
func isLink(value string) bool {
	return strings.HasPrefix(value, "http://") || strings.HasPrefix(value, "https://")
}

// fetch passes what is at an address to use. refused is the text for what is no address.
func (q *request) fetch(address, refused string, within time.Duration, use func(io.Reader) error) error {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return bad(refused)
	}
	ctx, cancel := context.WithTimeout(q.ctx, within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return bad(refused)
	}
	res, err := q.e.links.Do(req)
	if err != nil {
		return notFetched(q.ctx)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return notFetched(q.ctx)
	}
	body := &watched{from: res.Body}
	if err := use(body); body.broken {
		return notFetched(q.ctx)
	} else if err != nil {
		return err
	}
	return nil
}

// notFetched returns the error for what could not be fetched, or that of the request itself.
func notFetched(ctx context.Context) error {
	return cmp.Or(context.Cause(ctx), error(bad("the file could not be fetched from its address")))
}

// watched notes that what it reads did not come whole.
type watched struct {
	from   io.Reader
	broken bool
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	w.broken = w.broken || err != nil && err != io.EOF
	return n, err
}

const textPicture = "Profile picture must be url or base64"

// picture returns the picture of an address or of base64. One that is too large comes with a byte
// too many, which the rules refuse.
func (q *request) picture(value string) (image []byte, err error) {
	if isLink(value) {
		err = q.fetch(value, textPicture, pictureTime, func(r io.Reader) error {
			image, err = io.ReadAll(io.LimitReader(r, crm.MaxPicture+1))
			return err
		})
		return image, err
	}
	_, value, _ = cutDataURL(value)
	image, err = base64Form(value).DecodeString(value)
	if err != nil || len(image) == 0 {
		return nil, bad(textPicture)
	}
	return image, nil
}
