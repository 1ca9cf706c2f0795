package crm

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"time"
	"unicode"

	"chatcast/models"
)

// contactLife is for how long first contacts are remembered, in seconds: a phone may be
// off for some days before it receives the message.
const contactLife = 8 * 24 * 60 * 60

// lineDays is for how many days the counters of a line are kept.
const lineDays = 30

// LineRating is the rating of a line, and what its outbox needs to obey it.
type LineRating struct {
	Rating
	LastContact time.Time // when the newest first contact began; zero: none in 24 hours
}

// RateLine rates a line now, and stores the rating. It emits messengerStatus when the
// rating or the kinds of its reasons changed. Whoever serves the line calls it from time
// to time, because time alone changes a rating.
func (s *Service) RateLine(ctx context.Context, on Line) (r LineRating, err error) {
	tx := s.Store.Read(ctx)
	row, err := tx.MessengerSession(on.LicenseID, on.Messenger)
	if err != nil {
		return r, orNotFound(err, "line")
	}
	r, err = s.rate(tx, row, s.Now())
	if err != nil {
		return r, err
	}
	if changed, _, err := setRating(row, r.Rating); !changed || err != nil {
		return r, err
	}
	return r, s.changeWithRetry(ctx, func(c *change) error {
		l, row, err := c.session(on)
		if err != nil {
			return err
		}
		_, err = s.saveRating(c, l, row)
		return err
	})
}

// LineSeen is what a connector learns about an account by serving it. A zero time tells
// nothing.
type LineSeen struct {
	Phone   time.Time // the account's phone was connected
	Version time.Time // the messenger told its current version
}

// SetLineSeen stores what is new of it, and rates the line. A version that was never told
// counts from now.
func (s *Service) SetLineSeen(ctx context.Context, on Line, seen LineSeen) error {
	return s.changeWithRetry(ctx, func(c *change) error {
		l, row, err := c.session(on)
		if err != nil {
			return err
		}
		before := *row
		now := c.now.Unix()
		if !seen.Phone.IsZero() {
			row.PhoneSeenAt = min(now, max(row.PhoneSeenAt, seen.Phone.Unix()))
		}
		if !seen.Version.IsZero() {
			row.VersionKnownAt = min(now, max(row.VersionKnownAt, seen.Version.Unix()))
		}
		if row.VersionKnownAt == 0 {
			row.VersionKnownAt = now
		}
		saved, err := s.saveRating(c, l, row)
		if saved || err != nil || *row == before {
			return err
		}
		return c.tx.SaveMessengerSession(row)
	})
}

// saveRating rates a line and saves its row when the rating changed.
func (s *Service) saveRating(c *change, l *line, row *models.MessengerSession) (saved bool, err error) {
	r, err := s.rate(c.tx, row, c.now)
	if err != nil {
		return false, err
	}
	changed, news, err := setRating(row, r.Rating)
	if !changed || err != nil {
		return false, err
	}
	if err := c.tx.SaveMessengerSession(row); err != nil || !news {
		return true, err
	}
	return true, c.emitLineStatus(l, row, nil, nil)
}

// rateRow rates a line that the caller saves.
func (s *Service) rateRow(c *change, row *models.MessengerSession) error {
	r, err := s.rate(c.tx, row, c.now)
	if err == nil {
		_, _, err = setRating(row, r.Rating)
	}
	return err
}

// rateState counts what the new state of a line tells about its account, and rates the
// line. The history of an account does not pass to another one.
func (s *Service) rateState(c *change, on Line, before, row *models.MessengerSession, st LineState) error {
	if row.Phone != before.Phone {
		if err := c.tx.ForgetLineHistory(on.LicenseID, on.Messenger); err != nil {
			return err
		}
		row.PhoneSeenAt = 0
	}
	if row.Device != "" && row.Device != before.Device { // a phone has just paired it
		row.PhoneSeenAt = c.now.Unix()
	}
	if row.State == StateBanned && before.State != StateBanned {
		d := models.LineDay{Bans: 1}
		if st.Blocked {
			d.Blocks = 1
		}
		if err := c.countDay(on, c.now.Unix(), d); err != nil {
			return err
		}
	}
	return s.rateRow(c, row)
}

// setRating puts a rating into the row of a line. It reports whether the row changed, and
// whether that is worth telling: figures in the sentences are not.
func setRating(row *models.MessengerSession, r Rating) (changed, news bool, err error) {
	text, err := json.Marshal(r.Reasons)
	if err != nil {
		return false, false, err
	}
	if row.Rating == r.Rating && row.RatingReasons == string(text) {
		return false, false, nil
	}
	before := storedRating(row)
	news = before.Rating != r.Rating || len(before.Reasons) != len(r.Reasons)
	for i := 0; !news && i < len(r.Reasons); i++ {
		news = before.Reasons[i].Code != r.Reasons[i].Code || before.Reasons[i].Rating != r.Reasons[i].Rating
	}
	row.Rating, row.RatingReasons = r.Rating, string(text)
	return true, news, nil
}

// storedRating returns the rating in the row of a line.
func storedRating(row *models.MessengerSession) Rating {
	r := Rating{Rating: row.Rating, Reasons: []RatingReason{}}
	if json.Unmarshal([]byte(row.RatingReasons), &r.Reasons) != nil || r.Reasons == nil { // only we write it
		r.Reasons = []RatingReason{}
	}
	return r
}

// rate rates a line by its row and by what is stored about it. It reads the line's days of
// a week, and the first contacts of a day.
func (s *Service) rate(tx *models.Tx, row *models.MessengerSession, now time.Time) (r LineRating, err error) {
	today := models.Day(now.Unix())
	days, err := tx.LineDays(row.LicenseID, row.MessengerType, today-7)
	if err != nil {
		return r, err
	}
	contacts, err := tx.FirstContactsBegun(row.LicenseID, row.MessengerType, now.Add(-24*time.Hour).Unix())
	if err != nil {
		return r, err
	}
	f := LineFacts{
		Now: now, State: row.State, RestrictedUntil: row.RestrictedUntil, PhoneSeen: timeOf(row.PhoneSeenAt), VersionKnown: timeOf(row.VersionKnownAt),
		ContactsPerDay: s.FirstContactsPerDay,
	}
	f.countStrangers(contacts)
	for _, d := range days {
		if d.Day > today-7 {
			f.Week.add(d)
		}
		if d.Day < today {
			f.Mature.add(d)
		}
		if d.Day >= today-1 {
			f.Recent.add(d)
		}
	}
	if len(contacts) > 0 {
		r.LastContact = time.Unix(contacts[0].BegunAt, 0)
	}
	r.Rating = Rate(f)
	return r, nil
}

// countStrangers counts the people to whom a line wrote first in 24 hours, each once.
func (f *LineFacts) countStrangers(contacts []models.FirstContact) {
	all, burst, texts := map[int64]bool{}, map[int64]bool{}, map[int64]map[int64]bool{}
	for _, k := range contacts {
		who := k.Person()
		all[who] = true
		if k.BegunAt > f.Now.Add(-ratingBurst).Unix() {
			burst[who] = true
		}
		if k.TextHash == 0 {
			continue
		}
		if texts[k.TextHash] == nil {
			texts[k.TextHash] = map[int64]bool{}
		}
		texts[k.TextHash][who] = true
		f.Same = max(f.Same, len(texts[k.TextHash]))
	}
	f.Strangers, f.Burst = len(all), len(burst)
}

func (n *LineCounts) add(d models.LineDay) {
	n.Sent += d.Sent
	n.Delivered += d.Delivered
	n.NotThere += d.NotThere
	n.RefusedLock += d.RefusedLock
	n.RefusedNoLink += d.RefusedNoLink
	n.Forbidden += d.Forbidden
	n.Locks += d.Locks
	n.Bans += d.Bans
	n.Blocks += d.Blocks
	n.Checked += d.Checked
	n.CheckedAbsent += d.CheckedAbsent
}

func timeOf(unix int64) time.Time {
	if unix == 0 {
		return time.Time{}
	}
	return time.Unix(unix, 0)
}

// countDay adds to the counters of a line's day.
func (c *change) countDay(on Line, at int64, d models.LineDay) error {
	d.LicenseID, d.MessengerType, d.Day = on.LicenseID, on.Messenger, models.Day(at)
	return c.tx.CountLineDay(d)
}

// countOutcome counts what became of a message in a private chat. Of messages that are not
// first ones only a chat that is forbidden counts.
func (c *change) countOutcome(item OutboxItem, o Outcome) error {
	if item.Kind != OutMessage || item.Group {
		return nil
	}
	d := models.LineDay{}
	switch {
	case o.Status == OutFailed && o.Error.Code == SendForbidden:
		d.Forbidden = 1
	case !item.FirstContact:
		return nil
	case o.Status == OutSent:
		d.Sent = 1
	case o.Status == OutFailed && o.Error.Code == SendNotOnWhatsApp:
		d.NotThere = 1
	case o.Status == OutFailed && o.Error.Code == SendReachoutLocked:
		d.RefusedNoLink = 1
	default:
		return nil
	}
	return c.countDay(item.Line, c.now.Unix(), d)
}

// countDelivered counts a first message that has reached a phone.
func (c *change) countDelivered(on Line, messageID int64) error {
	begun, first, err := c.tx.FirstContactDelivered(messageID)
	if err != nil || !first || begun == 0 {
		return err
	}
	return c.countDay(on, begun, models.LineDay{Delivered: 1})
}

// textHash returns a hash of what a message says, by which the same text to many people
// is known: of its letters alone, so that a number, an emoji or a space makes no other
// text. It is 0 when there are none.
func textHash(m Content) int64 {
	h, any := fnv.New64a(), false
	for _, r := range m.Text + m.Caption {
		if unicode.IsLetter(r) {
			any = true
			_, _ = h.Write([]byte(string(unicode.ToLower(r)))) // never fails
		}
	}
	if !any {
		return 0
	}
	return int64(h.Sum64())
}
