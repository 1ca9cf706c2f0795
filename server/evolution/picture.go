package evolution

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"chatcast/channels/dialguard"
	"chatcast/crm"
)

// pictureTime is how long a picture may take to be fetched.
const pictureTime = 30 * time.Second

// pictures fetches the pictures that clients name by address, from the public internet alone.
var pictures = &http.Client{
	Transport: dialguard.NewTransport(15*time.Second, false), Timeout: pictureTime,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// picture returns the picture of an address or of base64.
func (q *request) picture(value string) ([]byte, error) {
	if strings.HasPrefix(value, "http://") || strings.HasPrefix(value, "https://") {
		return q.fetchPicture(value)
	}
	if head, data, is := strings.Cut(value, ";base64,"); is && strings.HasPrefix(head, "data:") {
		value = data
	}
	image, err := base64Form(value).DecodeString(value)
	if err != nil || len(image) == 0 {
		return nil, bad("Profile picture must be url or base64")
	}
	return image, nil
}

func (q *request) fetchPicture(address string) ([]byte, error) {
	const refused = "the picture could not be fetched from its address"
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return nil, bad("Profile picture must be url or base64")
	}
	req, err := http.NewRequestWithContext(q.ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, bad("Profile picture must be url or base64")
	}
	res, err := pictures.Do(req)
	if err != nil {
		return nil, bad(refused)
	}
	defer res.Body.Close()
	image, err := io.ReadAll(io.LimitReader(res.Body, crm.MaxPicture+1))
	if err != nil || res.StatusCode != http.StatusOK {
		return nil, bad(refused)
	}
	return image, nil
}
