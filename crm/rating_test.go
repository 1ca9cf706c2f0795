package crm_test

import (
	"strings"
	"testing"
	"time"

	"chatcast/crm"
)

var rated = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// TestRate checks each reason of a rating at its threshold and just below it.
func TestRate(t *testing.T) {
	soon, over := rated.Add(time.Hour).Unix(), rated.Unix()
	days := func(n float64) time.Time { return rated.Add(-time.Duration(n * 24 * float64(time.Hour))) }
	for what, c := range map[string]struct {
		facts crm.LineFacts
		want  string // the rating, and the codes of the reasons
	}{
		"a quiet line": {crm.LineFacts{}, "ok"},

		"locked":               {crm.LineFacts{RestrictedUntil: &soon, Week: crm.LineCounts{Locks: 1}}, "stop locked"},
		"a lock that is over":  {crm.LineFacts{RestrictedUntil: &over, Week: crm.LineCounts{Locks: 1}}, "careful recently_locked"},
		"a lock a month ago":   {crm.LineFacts{RestrictedUntil: &over}, "ok"},
		"banned":               {crm.LineFacts{State: crm.StateBanned, Week: crm.LineCounts{Bans: 1}}, "stop banned"},
		"banned by its people": {crm.LineFacts{State: crm.StateBanned, Week: crm.LineCounts{Bans: 1, Blocks: 1}}, "stop banned blocked"},
		"a ban that is over":   {crm.LineFacts{State: crm.StateConnected, Week: crm.LineCounts{Bans: 1}}, "careful recently_banned"},
		"outdated":             {crm.LineFacts{State: crm.StateOutdated}, "stop outdated"},

		"refused during a lock":     {crm.LineFacts{Recent: crm.LineCounts{RefusedLock: 1}}, "careful refused_locked"},
		"two people without token":  {crm.LineFacts{Recent: crm.LineCounts{RefusedNoLink: 2}}, "ok"},
		"three":                     {crm.LineFacts{Recent: crm.LineCounts{RefusedNoLink: 3}}, "careful refused_unknown"},
		"ten":                       {crm.LineFacts{Recent: crm.LineCounts{RefusedNoLink: 10}}, "stop refused_unknown"},
		"two forbidden chats":       {crm.LineFacts{Recent: crm.LineCounts{Forbidden: 2}}, "ok"},
		"three forbidden chats":     {crm.LineFacts{Recent: crm.LineCounts{Forbidden: 3}}, "careful refused_forbidden"},
		"ten forbidden chats":       {crm.LineFacts{Recent: crm.LineCounts{Forbidden: 10}}, "stop refused_forbidden"},
		"19 lost":                   {crm.LineFacts{Mature: crm.LineCounts{Sent: 19}}, "ok"},
		"20 lost":                   {crm.LineFacts{Mature: crm.LineCounts{Sent: 20}}, "stop undelivered"},
		"39 % lost":                 {crm.LineFacts{Mature: crm.LineCounts{Sent: 100, Delivered: 61}}, "ok"},
		"40 % lost":                 {crm.LineFacts{Mature: crm.LineCounts{Sent: 100, Delivered: 60}}, "careful undelivered"},
		"70 % lost":                 {crm.LineFacts{Mature: crm.LineCounts{Sent: 100, Delivered: 30}}, "stop undelivered"},
		"more delivered than sent":  {crm.LineFacts{Mature: crm.LineCounts{Sent: 20, Delivered: 25}}, "ok"},
		"9 numbers without it":      {crm.LineFacts{Recent: crm.LineCounts{NotThere: 9}}, "ok"},
		"10 numbers without it":     {crm.LineFacts{Recent: crm.LineCounts{NotThere: 10}}, "stop not_on_whatsapp"},
		"19 % of numbers":           {crm.LineFacts{Recent: crm.LineCounts{Sent: 81, NotThere: 19}}, "ok"},
		"20 % of numbers":           {crm.LineFacts{Recent: crm.LineCounts{Sent: 80, NotThere: 20}}, "careful not_on_whatsapp"},
		"half of the numbers":       {crm.LineFacts{Recent: crm.LineCounts{Sent: 10, NotThere: 10}}, "stop not_on_whatsapp"},
		"49 strangers":              {crm.LineFacts{Strangers: 49}, "ok"},
		"50 strangers":              {crm.LineFacts{Strangers: 50}, "careful strangers"},
		"200 strangers":             {crm.LineFacts{Strangers: 200}, "stop strangers"},
		"the settings allow fewer":  {crm.LineFacts{Strangers: 8, ContactsPerDay: 10}, "careful strangers"},
		"fewer than those":          {crm.LineFacts{Strangers: 7, ContactsPerDay: 10}, "ok"},
		"the settings allow more":   {crm.LineFacts{Strangers: 399, ContactsPerDay: 500}, "ok"},
		"and it is used":            {crm.LineFacts{Strangers: 500, ContactsPerDay: 500}, "careful strangers"},
		"a limit of one, not used":  {crm.LineFacts{ContactsPerDay: 1}, "ok"},
		"9 at once":                 {crm.LineFacts{Burst: 9}, "ok"},
		"10 at once":                {crm.LineFacts{Burst: 10}, "careful burst"},
		"14 with one text":          {crm.LineFacts{Same: 14}, "ok"},
		"15 with one text":          {crm.LineFacts{Same: 15}, "careful same_text"},
		"60 with one text":          {crm.LineFacts{Same: 60}, "stop same_text"},
		"the phone away 11.9 days":  {crm.LineFacts{PhoneSeen: days(11.9)}, "ok"},
		"the phone away 12 days":    {crm.LineFacts{PhoneSeen: days(12)}, "careful phone_away"},
		"the version of last week":  {crm.LineFacts{VersionKnown: days(13.9)}, "ok"},
		"the version of long ago":   {crm.LineFacts{VersionKnown: days(14)}, "careful version_old"},
		"the worst stands first":    {crm.LineFacts{RestrictedUntil: &soon, Strangers: 60, Same: 60}, "stop locked same_text strangers"},
		"what is careful adds up":   {crm.LineFacts{Strangers: 60, PhoneSeen: days(13)}, "careful strangers phone_away"},
		"a clock that was set back": {crm.LineFacts{PhoneSeen: days(-1), VersionKnown: days(-1)}, "ok"},
	} {
		c.facts.Now = rated
		got := crm.Rate(c.facts)
		codes := []string{got.Rating}
		for _, r := range got.Reasons {
			codes = append(codes, r.Code)
			if r.Rating != crm.RatingCareful && r.Rating != crm.RatingStop || !strings.HasSuffix(r.Message, ".") {
				t.Errorf("%s: the reason %+v", what, r)
			}
		}
		if text := strings.Join(codes, " "); text != c.want {
			t.Errorf("%s: %q, want %q", what, text, c.want)
		}
	}
}
