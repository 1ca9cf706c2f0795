package crm

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/textproto"
	"slices"

	"golang.org/x/net/http/httpguts"

	"chatcast/broadcasting/apps"
	"chatcast/models"
)

// An endpoint is a callback URL in the words of another dialect. A line may have several beside
// its callback URL. All of them are rows of one table, delivered to by one CallbackPoster, each
// with a position, a state and a log of its own.

// Formats of what is posted.
const (
	FormatChatApp   = "chatapp" // of callback URLs; in rows it is empty
	FormatEvolution = "evolution"
	FormatMultiWA   = "multiwa"
)

// Limits of endpoints.
const (
	MaxEndpoints      = 20 // of a line in one format
	maxEndpointSecret = 200
	maxHeaders        = 20
	maxHeaderName     = 64
	maxHeaderValue    = 4096
)

// EndpointOptions are how an endpoint wants its events, as far as its format knows that.
type EndpointOptions struct {
	Headers  map[string]string `json:"headers,omitempty"`
	ByEvents bool              `json:"byEvents,omitempty"` // the name of the event ends the URL
	Base64   bool              `json:"base64,omitempty"`   // files are in the body
}

// Endpoint is an endpoint of a line, as those see it who manage it.
type Endpoint struct {
	CallbackData
	PublicID string // a UUID
	Options  EndpointOptions
	Signs    bool // it has a secret
}

// EndpointInput describes an endpoint.
type EndpointInput struct {
	Format  string
	URL     string
	Secret  string   // to sign with; empty: nothing is signed
	Events  []string // names in the words of the format, which the caller has checked; empty: all
	Options EndpointOptions
	Enabled bool
	// Same says what to change of the endpoint of the line that has the format and the URL already,
	// if there is one, in place of adding another; nil: another is added.
	Same *EndpointChanges
}

// EndpointChanges are changes of an endpoint. Absent fields stay as they are.
type EndpointChanges struct {
	URL     Field[string]
	Secret  Field[string]
	Events  Field[[]string]
	Options Field[EndpointOptions]
	Enabled Field[bool]
}

func (ch *EndpointChanges) check() error {
	return allViolations(ch.URL.notNull("url"), ch.Secret.notNull("secret"), ch.Events.notNull("events"), ch.Options.notNull("headers"), ch.Enabled.notNull("enabled"))
}

func (in *EndpointInput) check() error {
	var to, format error
	if message := apps.CheckWebhookURL(in.URL); message != "" {
		to = Invalid("url", "%s", message)
	} else {
		to = checkText("url", in.URL, apps.MaxWebhookURL)
	}
	if in.Format == "" || in.Format == FormatChatApp {
		format = Invalid("format", "must be that of another dialect")
	}
	return allViolations(to, format, checkText("secret", in.Secret, maxEndpointSecret), checkEventNames("events", in.Events), checkHeaders("headers", in.Options.Headers))
}

// checkHeaders returns what is wrong with the headers of a webhook.
func checkHeaders(field string, headers map[string]string) error {
	if len(headers) > maxHeaders {
		return Invalid(field, "must be at most %d", maxHeaders)
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		switch value := headers[name]; {
		case len(name) > maxHeaderName || !httpguts.ValidHeaderFieldName(name) || len(value) > maxHeaderValue || !httpguts.ValidHeaderFieldValue(value):
			errs = append(errs, Invalid(field, "has a name or a value that no header may have"))
		case ofConnection[textproto.CanonicalMIMEHeaderKey(name)]:
			errs = append(errs, Invalid(field, "must not have %s, which belongs to the connection", textproto.CanonicalMIMEHeaderKey(name)))
		}
	}
	return allViolations(errs...)
}

// ofConnection are the headers that only whoever makes the connection may set.
var ofConnection = map[string]bool{
	"Host": true, "Connection": true, "Content-Length": true, "Keep-Alive": true, "Proxy-Authenticate": true, "Proxy-Authorization": true,
	"Proxy-Connection": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true, "Expect": true, "Http2-Settings": true,
}

// endpointOf returns what a row of another format selects, and its options.
func endpointOf(row *models.CallbackURL) (events []string, o EndpointOptions, err error) {
	if row.Format == "" {
		return nil, o, nil
	}
	if err = json.Unmarshal([]byte(row.Events), &events); err == nil && row.Options != "" {
		err = json.Unmarshal([]byte(row.Options), &o)
	}
	if err != nil { // without what is stored: it may be secret
		return nil, o, fmt.Errorf("crm: callback URL %d is stored in a wrong form", row.ID)
	}
	return events, o, nil
}

// putEndpoint writes what an endpoint selects, and its options, into its row.
func putEndpoint(row *models.CallbackURL, events []string, o EndpointOptions) error {
	list, err := json.Marshal(append([]string{}, events...))
	options, err2 := json.Marshal(o)
	row.Events, row.Options = string(list), string(options)
	return errors.Join(err, err2)
}

func endpoint(tx *models.Tx, row *models.CallbackURL) (*Endpoint, error) {
	data, err := oneCallback(tx, row)
	if err != nil {
		return nil, err
	}
	_, o, err := endpointOf(row)
	return &Endpoint{CallbackData: data, PublicID: row.PublicID, Options: o, Signs: row.Secret != ""}, err
}
