package crm

import (
	"fmt"
	"time"

	"chatcast/models"
)

// MaxDailyLimit is the highest DailyLimit of a line.
const MaxDailyLimit = 1_000_000

// Quota is a limit that has been reached.
type Quota struct {
	Limit   int64
	Count   int64     // how many there were
	ResetAt time.Time // when it begins anew
}

// countSend counts a message that is sent on a line, and refuses it when the line has sent as
// many today, by UTC, as it may. One transaction counts at a time, so that two messages cannot
// both be the last one.
func (c *change) countSend(on Line) error {
	limit, err := c.tx.DailyLimit(on.LicenseID, on.Messenger)
	if err != nil || limit == nil {
		return err
	}
	const day = 24 * 60 * 60
	now := c.now.Unix()
	sent, err := c.tx.CountSent(on.LicenseID, on.Messenger, models.Day(now))
	if err != nil || sent <= *limit {
		return err
	}
	reset := (models.Day(now) + 1) * day
	return &Error{
		Code: CodeThrottled, RetryAfter: int(reset - now), Quota: &Quota{Limit: *limit, Count: sent - 1, ResetAt: time.Unix(reset, 0)},
		Message: fmt.Sprintf("the line has sent %d messages today, by UTC, and its limit is %d", sent-1, *limit),
	}
}
