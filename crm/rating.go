package crm

import (
	"fmt"
	"time"
)

// Ratings of a line: how safely its account may write to people who never wrote to it.
const (
	RatingOK      = "ok"
	RatingCareful = "careful" // first messages are sent slowly
	RatingStop    = "stop"    // first messages wait
)

// RatingReason is one reason for a rating.
type RatingReason struct {
	Code    string `json:"code"`    // for a program: "locked", "strangers", ...
	Rating  string `json:"rating"`  // what this reason alone makes of the line: careful or stop
	Message string `json:"message"` // a sentence for a person
}

// Rating is the rating of a line: the worst that one of its reasons asks for.
type Rating struct {
	Rating  string
	Reasons []RatingReason // by importance; empty when the rating is ok
}

// LineFacts is what a line is rated by. Strangers are people who had not written to the
// line before it wrote to them.
type LineFacts struct {
	Now             time.Time
	State           string
	RestrictedUntil *int64    // see LineSession
	PhoneSeen       time.Time // when the account's phone was last connected; zero: not known
	VersionKnown    time.Time // when the messenger last told its current version; zero: not known
	ContactsPerDay  int       // Options.FirstContactsPerDay

	Strangers int // written to in the last 24 hours
	Burst     int // of them in the last ratingBurst
	Same      int // of them, how many got the same text

	Recent LineCounts // of today and the day before
	Week   LineCounts // of the last 7 days
	Mature LineCounts // of the last 7 days without today, so that phones had time to receive
}

// LineCounts counts what became of the messages to strangers, and what the messenger said
// about the account.
type LineCounts struct {
	Sent          int64 // first messages that the messenger took
	Delivered     int64 // of them, those that reached a phone
	NotThere      int64 // people who do not use the messenger
	RefusedLock   int64 // refused while the account was locked
	RefusedNoLink int64 // refused because the person does not seem to know the account
	Forbidden     int64 // private chats that the account may not write to
	Locks         int64 // locks that began
	Bans          int64 // bans that began
	Blocks        int64 // of them, those because people blocked the account
	Checked       int64 // numbers that the messenger was asked about, see CheckContacts
	CheckedAbsent int64 // of them, those that do not use the messenger
}

// Thresholds of the rating. They are of what people report about banned accounts, and
// below what was reported to be safe.
const (
	ratingBurst      = 10 * time.Minute
	burstCareful     = 10
	strangersCareful = 50
	strangersStop    = 200
	sameCareful      = 15
	sameStop         = 60

	deliveredOf        = 20 // fewer messages say nothing
	undeliveredCareful = 40 // percent
	undeliveredStop    = 70
	notThereOf         = 10
	notThereCareful    = 20 // percent
	notThereStop       = 50
	refusedCareful     = 3
	refusedStop        = 10

	checkedCareful = 500
	absentOf       = 100
	absentCareful  = 50 // percent

	phoneAwayAfter  = 12 * 24 * time.Hour // WhatsApp unlinks an account's other devices after 14
	phoneAwayLimit  = 14 * 24 * time.Hour
	versionOldAfter = 14 * 24 * time.Hour
)

// Rate rates a line. It is a pure function of the facts.
func Rate(f LineFacts) Rating {
	var r rater
	r.said(f)
	r.outcomes(f)
	r.behaviour(f)
	r.upkeep(f)
	rating := Rating{Rating: RatingOK, Reasons: append(append([]RatingReason{}, r.stop...), r.careful...)}
	switch {
	case len(r.stop) > 0:
		rating.Rating = RatingStop
	case len(r.careful) > 0:
		rating.Rating = RatingCareful
	}
	return rating
}

// rater collects reasons.
type rater struct{ stop, careful []RatingReason }

func (r *rater) add(rating, code, format string, args ...any) {
	reason := RatingReason{Code: code, Rating: rating, Message: fmt.Sprintf(format, args...)}
	if rating == RatingStop {
		r.stop = append(r.stop, reason)
		return
	}
	r.careful = append(r.careful, reason)
}

// grade adds a reason when n reaches a threshold. A stop of 0 does not exist.
func (r *rater) grade(n, careful, stop int64, code, format string, args ...any) {
	switch {
	case stop > 0 && n >= stop:
		r.add(RatingStop, code, format, args...)
	case n >= careful:
		r.add(RatingCareful, code, format, args...)
	}
}

// said adds what the messenger says about the account.
func (r *rater) said(f LineFacts) {
	switch {
	case f.State == StateBanned:
		r.add(RatingStop, "banned", "The messenger has banned the account for a time.")
	case f.Week.Bans > 0:
		r.add(RatingCareful, "recently_banned", "The account was banned in the last 7 days.")
	}
	if f.Week.Blocks > 0 {
		r.add(RatingCareful, "blocked", "The account was banned because people blocked it.")
	}
	switch until := restrictionAt(f.RestrictedUntil, f.Now); {
	case until != nil:
		r.add(RatingStop, "locked", "The account may not write to new people until %s.", time.Unix(*until, 0).UTC().Format("2006-01-02 15:04 MST"))
	case f.Week.Locks > 0:
		r.add(RatingCareful, "recently_locked", "The account was locked for new people in the last 7 days.")
	}
	if f.State == StateOutdated {
		r.add(RatingStop, "outdated", "The messenger does not serve this version any more.")
	}
	r.grade(f.Recent.RefusedLock, 1, 0, "refused_locked", "%d messages were refused because the account was locked.", f.Recent.RefusedLock)
	r.grade(f.Recent.RefusedNoLink, refusedCareful, refusedStop, "refused_unknown",
		"%d messages were refused in two days because the people do not seem to know the account.", f.Recent.RefusedNoLink)
	r.grade(f.Recent.Forbidden, refusedCareful, refusedStop, "refused_forbidden",
		"%d chats could not be written to in two days; people may have blocked the account.", f.Recent.Forbidden)
}

// outcomes adds what became of the messages.
func (r *rater) outcomes(f LineFacts) {
	if m := f.Mature; m.Sent >= deliveredOf {
		lost := percent(m.Sent-min(m.Delivered, m.Sent), m.Sent)
		r.grade(lost, undeliveredCareful, undeliveredStop, "undelivered", "%d %% of the first messages of a week did not reach a phone; people may have blocked the account.", lost)
	}
	if tried := f.Recent.Sent + f.Recent.NotThere; tried >= notThereOf {
		gone := percent(f.Recent.NotThere, tried)
		r.grade(gone, notThereCareful, notThereStop, "not_on_whatsapp", "%d %% of the people written to first in two days do not use the messenger.", gone)
	}
}

// behaviour adds what the line itself does. A limit that the settings name replaces the
// number of strangers at which the line is stopped: it refuses the next one itself.
func (r *rater) behaviour(f LineFacts) {
	careful, stop := int64(strangersCareful), int64(strangersStop)
	if f.ContactsPerDay > 0 {
		careful, stop = max(1, int64(f.ContactsPerDay)*4/5), 0
	}
	r.grade(int64(f.Strangers), careful, stop, "strangers", "The line has written first to %d people in 24 hours.", f.Strangers)
	r.grade(int64(f.Same), sameCareful, sameStop, "same_text", "%d of the people written to first in 24 hours got the same text.", f.Same)
	r.grade(int64(f.Burst), burstCareful, 0, "burst", "The line has written first to %d people in %d minutes.", f.Burst, int(ratingBurst.Minutes()))
	r.grade(f.Recent.Checked, checkedCareful, 0, "checks", "The messenger was asked about %d numbers in two days.", f.Recent.Checked)
	if f.Recent.Checked >= absentOf {
		absent := percent(f.Recent.CheckedAbsent, f.Recent.Checked)
		r.grade(absent, absentCareful, 0, "checks_absent", "%d %% of the numbers that the messenger was asked about in two days do not use it.", absent)
	}
}

// upkeep adds what will end the session without anybody's bad will.
func (r *rater) upkeep(f LineFacts) {
	if away := f.Now.Sub(f.PhoneSeen); !f.PhoneSeen.IsZero() && away >= phoneAwayAfter {
		r.add(RatingCareful, "phone_away", "The account's phone was not seen for %d days. Open the messenger on it: after %d days it unlinks this line.",
			int(away.Hours()/24), int(phoneAwayLimit.Hours()/24))
	}
	if old := f.Now.Sub(f.VersionKnown); !f.VersionKnown.IsZero() && old >= versionOldAfter {
		r.add(RatingCareful, "version_old", "The messenger's current version has not been known for %d days.", int(old.Hours()/24))
	}
}

func percent(part, of int64) int64 { return part * 100 / of }

const (
	// carefulPace is the least time between two first messages of a line that is careful.
	// Up to half of it is added, so that the messages are not as regular as a program's.
	carefulPace = time.Minute
	// stopCheck is when a first message looks again whether the line may send it.
	stopCheck = time.Hour
)

// Next returns when the next first message of the line may be sent, which is not after now
// when it may be sent now.
func (r LineRating) Next(now time.Time) time.Time {
	switch {
	case r.Rating.Rating == RatingStop:
		return now.Add(stopCheck)
	case r.Rating.Rating == RatingOK || r.LastContact.IsZero():
		return now
	}
	return r.LastContact.Add(Pace(r.LastContact))
}

// Pace returns how long a careful line waits after a first message that it sent at that
// time. It is always the same for one message, so that looking again does not shorten it.
func Pace(sent time.Time) time.Duration {
	seconds := uint64(carefulPace / time.Second / 2)
	spread := uint64(sent.Unix()) * 0x9E3779B97F4A7C15 >> 32 % seconds
	return carefulPace + time.Duration(spread)*time.Second
}
