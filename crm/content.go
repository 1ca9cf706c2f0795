package crm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Limits of a message's content.
const (
	MaxText     = 65536 // characters of a text: WhatsApp's limit, the largest of all messengers
	MaxCaption  = 4096  // characters
	MaxTracking = 1024  // characters
	maxName     = 255   // characters of names of people, chats, files, places
	maxLink     = 2048  // bytes
	maxOptions  = 12    // of a poll
	maxContacts = 257   // of one message
	maxPhones   = 32    // of one contact
	maxJSON     = 4096  // bytes of a free JSON value: utm, error
	maxVCard    = 8192  // characters of a contact's card
	maxInvite   = 64    // characters of the code of an invitation
	maxChoice   = 1024  // characters of the id of a button or row
)

// Types of messages that this package knows. Bridges may post others.
const (
	MessageText     = "text"
	MessageImage    = "image"
	MessageVideo    = "video"
	MessageAudio    = "audio"
	MessageDocument = "document"
	MessageLocation = "location"
	MessageContact  = "contact"
	MessagePoll     = "poll"
	MessageReaction = "reaction"
)

var messageTypeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,31}$`)

// check checks a content against the limits and against its message's type. at is the
// prefix of the fields' names in errors, such as "messages[3].message.".
func (m *Content) check(at, typ string, maxText int) error {
	errs := []error{
		checkText(at+"text", m.Text, maxText),
		checkText(at+"caption", m.Caption, MaxCaption),
	}
	if m.ParseMode != "" && m.ParseMode != "markdown" && m.ParseMode != "html" {
		errs = append(errs, Invalid(at+"parseMode", "must be markdown, html or absent"))
	}
	if m.File != nil {
		errs = append(errs, m.File.check(at+"file."))
	}
	if m.Location != nil {
		errs = append(errs, m.Location.check(at+"location."))
	}
	if m.Contact != nil {
		errs = append(errs, m.Contact.check(at+"contact."))
	}
	if m.Poll != nil {
		errs = append(errs, m.Poll.check(at+"poll."))
	}
	if m.Reaction != nil {
		errs = append(errs, m.Reaction.check(at+"reaction."))
	}
	if len(m.Contacts) > maxContacts {
		errs = append(errs, Invalid(at+"contacts", "must not be more than %d", maxContacts))
	}
	for i := range m.Contacts {
		errs = append(errs, m.Contacts[i].check(fmt.Sprintf("%scontacts[%d].", at, i)))
	}
	if m.Vote != nil {
		errs = append(errs, m.Vote.check(at+"vote."))
	}
	errs = append(errs, m.checkFurther(at))
	return allViolations(append(errs, m.missing(at, typ))...)
}

// missing returns an error when the content lacks the part that its type requires. A
// media message may lack the file, because a bridge cannot always get it.
func (m *Content) missing(at, typ string) error {
	need := map[string]bool{
		MessageText: strings.TrimSpace(m.Text) != "", MessageLocation: m.Location != nil,
		MessageContact: m.Contact != nil, MessagePoll: m.Poll != nil || m.Vote != nil, MessageReaction: m.Reaction != nil,
	}
	if there, known := need[typ]; known && !there {
		return Invalid(at+typ, "is required in a message of type %s", typ)
	}
	return nil
}

func (f *FileData) check(at string) error {
	var stateViolation error
	if f.State != "" {
		stateViolation = Invalid(at+"state", "must be absent: only an account of this program's own can fetch a file later")
	}
	errs := []error{checkLink(at+"link", f.Link), stateViolation, checkText(at+"name", f.Name, maxName), checkOptional(at+"mimeType", f.MimeType, maxName)}
	errs = append(errs, f.FilePreview.check(at))
	if f.Size != nil && !plausibleSize(*f.Size) {
		errs = append(errs, Invalid(at+"size", "must be a number of bytes"))
	}
	return allViolations(errs...)
}

// plausibleSize reports whether n can be the size of a file in bytes. JavaScript reads
// higher numbers wrong.
const (
	maxThumbnail = 32 << 10 // bytes
	maxPixels    = 1 << 20  // of a side
	maxWaveform  = 256      // bytes
)

func (p *FilePreview) check(at string) error {
	var errs []error
	if p.Width < 0 || p.Width > maxPixels {
		errs = append(errs, Invalid(at+"width", "must be a number of pixels"))
	}
	if p.Height < 0 || p.Height > maxPixels {
		errs = append(errs, Invalid(at+"height", "must be a number of pixels"))
	}
	if p.Duration < 0 || p.Duration > math.MaxInt32 {
		errs = append(errs, Invalid(at+"duration", "must be a number of seconds"))
	}
	if len(p.Waveform) > maxWaveform {
		errs = append(errs, Invalid(at+"waveform", "must be at most %d bytes, as base64", maxWaveform))
	}
	if p.Pages < 0 || p.Pages > math.MaxInt32 {
		errs = append(errs, Invalid(at+"pages", "must be a number of pages"))
	}
	if len(p.Thumbnail) > maxThumbnail || len(p.Thumbnail) > 0 && http.DetectContentType(p.Thumbnail) != "image/jpeg" {
		errs = append(errs, Invalid(at+"thumbnail", "must be a JPEG of at most %d bytes, as base64", maxThumbnail))
	}
	return allViolations(errs...)
}

func plausibleSize(n int64) bool { return n >= 0 && n < 1<<53 }

// checkLink refuses a link that is not an absolute http or https URL, or that has a
// user name or password.
func checkLink(field, link string) error {
	if err := checkRequired(field, link, maxLink); err != nil {
		return err
	}
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return Invalid(field, "must be an http or https address without a password in it")
	}
	return nil
}

func (l *Location) check(at string) error {
	errs := []error{checkText(at+"name", l.Name, maxName), checkText(at+"address", l.Address, maxName)}
	if !within(l.Latitude, 90) {
		errs = append(errs, Invalid(at+"latitude", "must be from -90 to 90 degrees"))
	}
	if l.Accuracy < 0 || l.Accuracy > math.MaxInt32 {
		errs = append(errs, Invalid(at+"accuracy", "must be a number of metres"))
	}
	if math.IsNaN(l.Speed) || l.Speed < 0 || l.Speed > math.MaxInt32 {
		errs = append(errs, Invalid(at+"speed", "must be a number of metres in a second"))
	}
	if l.Sequence < 0 || l.Sequence >= 1<<53 {
		errs = append(errs, Invalid(at+"sequence", "must be a number"))
	}
	if !within(l.Longitude, 180) {
		errs = append(errs, Invalid(at+"longitude", "must be from -180 to 180 degrees"))
	}
	return allViolations(errs...)
}

func within(degrees, max float64) bool {
	return !math.IsNaN(degrees) && -max <= degrees && degrees <= max
}

func (k *ContactCard) check(at string) error {
	errs := []error{checkRequired(at+"name", k.Name, maxName), checkRequired(at+"phone", k.Phone, 64), checkText(at+"vcard", k.VCard, maxVCard)}
	if len(k.Phones) > maxPhones {
		errs = append(errs, Invalid(at+"phones", "must not be more than %d", maxPhones))
	}
	for i, phone := range k.Phones {
		errs = append(errs, checkRequired(fmt.Sprintf("%sphones[%d]", at, i), phone, 64))
	}
	return allViolations(errs...)
}

func (p *Poll) check(at string) error {
	errs := []error{checkRequired(at+"question", p.Question, maxName)}
	if n := len(p.Options); n < 2 || n > maxOptions {
		return allViolations(append(errs, Invalid(at+"options", "must be 2 to %d texts", maxOptions))...)
	}
	seen := map[string]bool{}
	for _, o := range p.Options {
		errs = append(errs, checkRequired(at+"options", o, 100))
		if seen[o] {
			errs = append(errs, Invalid(at+"options", "must differ from one another"))
		}
		seen[o] = true
	}
	switch {
	case p.Most != 0 && (p.Most < 2 || p.Most > int64(len(p.Options))):
		errs = append(errs, Invalid(at+"most", "must be from 2 to the number of options"))
	case p.Most != 0 && !p.Multiple:
		errs = append(errs, Invalid(at+"most", "needs multiple to be true"))
	}
	return allViolations(errs...)
}

func (v *PollVote) check(at string) error {
	errs := []error{checkID(at+"messageId", v.MessageID.String())}
	if v.Options == nil {
		errs = append(errs, Invalid(at+"options", "is required; empty takes the vote back"))
	}
	if len(v.Options) > maxOptions {
		errs = append(errs, Invalid(at+"options", "must be at most %d texts", maxOptions))
	}
	for _, o := range v.Options {
		errs = append(errs, checkRequired(at+"options", o, 100))
	}
	return allViolations(errs...)
}

func (r *Reaction) check(at string) error {
	errs := []error{checkID(at+"messageId", r.MessageID.String()), checkText(at+"emoji", r.Emoji, 16)}
	for _, c := range r.Emoji {
		if c < ' ' || c == utf8.RuneError {
			errs = append(errs, Invalid(at+"emoji", "must be an emoji, or empty to take the reaction off"))
			break
		}
	}
	return allViolations(errs...)
}

// encodeContent returns a content as its row stores it: without what is known of the message
// that it is about, which is looked up each time it is shown.
func encodeContent(m Content) (string, error) {
	if m.Reaction != nil && m.Reaction.Origin != nil {
		m.Reaction = &Reaction{MessageID: m.Reaction.MessageID, Emoji: m.Reaction.Emoji}
	}
	if m.Vote != nil && m.Vote.Origin != nil {
		m.Vote = &PollVote{MessageID: m.Vote.MessageID, Options: m.Vote.Options}
	}
	if string(bytes.TrimSpace(m.Original)) == "null" {
		m.Original = nil
	}
	b, err := json.Marshal(m)
	return string(b), err
}
