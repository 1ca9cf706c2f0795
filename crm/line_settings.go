package crm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"chatcast/models"
)

// LineSettings is how the account of a line behaves.
type LineSettings struct {
	RejectCalls bool    `json:"rejectCalls"`
	RejectText  string  `json:"rejectText"` // sent to people whose call was rejected; empty: nothing is
	Proxy       *string `json:"proxy"`      // its URL, with *** for the password; null: none
	Typing      *bool   `json:"typing"`     // shows that it types before a text; null: as the server is configured
	SendDelay   *int64  `json:"sendDelay"`  // seconds between two messages; null: as the server is configured
	DailyLimit  *int64  `json:"dailyLimit"` // how many messages it may send in a day, by UTC; null: any number
	Labels      bool    `json:"labels"`     // tags of chats go to the phone as labels
	HasLabels   *bool   `json:"hasLabels"`  // the account has labels, as only those of WhatsApp Business do; null: not known
	// Disappearing is after how many seconds messages disappear in chats that the line
	// begins; 0: never.
	Disappearing int64 `json:"disappearing"`

	ReceiveStatus   bool `json:"receiveStatus"`   // keeps what people post as their status, in their chats
	ReceiveChannels bool `json:"receiveChannels"` // keeps what the channels post that the account follows
}

// LineSettingsChanges are changes of LineSettings. Absent fields stay as they are.
type LineSettingsChanges struct {
	RejectCalls Field[bool]   `json:"rejectCalls"`
	RejectText  Field[string] `json:"rejectText"`
	Proxy       Field[string] `json:"proxy"`
	Typing      Field[bool]   `json:"typing"`
	SendDelay   Field[int64]  `json:"sendDelay"`
	DailyLimit  Field[int64]  `json:"dailyLimit"` // counts from when it is set
	Labels      Field[bool]   `json:"labels"`

	Disappearing Field[int64] `json:"disappearing"`

	ReceiveStatus   Field[bool] `json:"receiveStatus"`
	ReceiveChannels Field[bool] `json:"receiveChannels"`
}

// AccountSettings is LineSettings for the connector that serves the line.
type AccountSettings struct {
	RejectCalls bool
	RejectText  string
	Proxy       string         // with the password; empty: none
	Typing      *bool          // nil: as configured
	SendDelay   *time.Duration // nil: as configured

	Disappearing      int64 // of LineSettings
	DisappearingSince int64 // when that was set, unix seconds

	ReceiveStatus   bool
	ReceiveChannels bool

	AlwaysOnline    bool // shown as online while it is connected
	ReadMessages    bool // what comes is marked as read at once
	ReadStatus      bool // the same for what people post as their status
	SyncFullHistory bool // the phone is asked for all of its history when it is paired
}

// MaxSendDelay is the longest time between two messages of a line, in seconds.
const MaxSendDelay = 60

// Configured is a Messenger whose lines have settings.
type Configured interface {
	Messenger
	// Configure is called after the commit of new settings. It does not block and may be
	// called for lines of other nodes.
	Configure(l Line)
}

const maxProxy = 1024

// proxySchemes are the kinds of proxies.
var proxySchemes = []string{"http", "https", "socks5"}

// LineSettings returns the settings of a line. Only owners and admins may see them.
func (s *Service) LineSettings(ctx context.Context, a Actor, on Line) (LineSettings, error) {
	_, connector, err := s.configured(ctx, a, on)
	if err != nil {
		return LineSettings{}, err
	}
	labels, err := hasLabels(ctx, connector, on)
	if err != nil {
		return LineSettings{}, err
	}
	row, err := s.Store.Read(ctx).LineSettings(on.LicenseID, on.Messenger)
	if err != nil {
		return LineSettings{}, err
	}
	return lineSettings(row, labels), nil
}

// hasLabels reports whether the account of a line has labels; nil: not known.
func hasLabels(ctx context.Context, connector Messenger, on Line) (*bool, error) {
	of, ok := connector.(Labelled)
	if !ok {
		return nil, nil
	}
	has, known, err := of.HasLabels(ctx, on)
	if err != nil || !known {
		return nil, err
	}
	return &has, nil
}

// configured authorises the actor, and returns the connector.
func (s *Service) configured(ctx context.Context, a Actor, on Line) (*line, Configured, error) {
	l, connector, err := s.connectorFor(ctx, a, on, manage)
	if err != nil {
		return nil, nil, err
	}
	if to, ok := connector.(Configured); ok {
		return l, to, nil
	}
	return nil, nil, conflict("lines of this type have no account, so they have no settings")
}

func lineSettings(row *models.LineSettings, labels *bool) LineSettings {
	return LineSettings{
		RejectCalls: row.RejectCalls, RejectText: row.RejectText, Proxy: given(maskedProxy(row.Proxy)), Typing: row.Typing, SendDelay: row.SendDelay, DailyLimit: row.DailyLimit,
		Labels: row.Labels, HasLabels: labels,
		Disappearing: row.Disappearing, ReceiveStatus: row.ReceiveStatus, ReceiveChannels: row.ReceiveChannels,
	}
}

// maskedProxy returns the URL of a proxy with *** for its password.
func maskedProxy(proxy string) string {
	u, err := url.Parse(proxy)
	if err != nil || u.User == nil {
		return proxy
	}
	if _, has := u.User.Password(); !has {
		return proxy
	}
	name := url.User(u.User.Username()).String()
	u.User = nil
	return strings.Replace(u.String(), "://", "://"+name+":***@", 1)
}

// checkProxy checks the URL of a proxy. Its errors do not repeat it: it has a password.
func checkProxy(proxy string) error {
	const form = "must be the URL of an http, https or socks5 proxy, such as socks5://user:password@proxy.example:1080"
	if err := checkText("proxy", proxy, maxProxy); err != nil {
		return err
	}
	u, err := url.Parse(proxy)
	if err != nil || !slices.Contains(proxySchemes, u.Scheme) || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return Invalid("proxy", form)
	}
	if port, err := strconv.ParseUint(cmp.Or(u.Port(), "1"), 10, 16); err != nil || port == 0 {
		return Invalid("proxy", "must have a port from 1 to 65535, or none")
	}
	if password, _ := u.User.Password(); password == "***" {
		return Invalid("proxy", "must have its password")
	}
	return nil
}

// ChangeLineSettings changes the settings of a line. Only owners and admins may do so. A
// line that is connected connects again through a new proxy, without pairing again.
func (s *Service) ChangeLineSettings(ctx context.Context, a Actor, on Line, ch LineSettingsChanges) (data LineSettings, err error) {
	_, connector, err := s.configured(ctx, a, on)
	if err != nil {
		return data, err
	}
	if err := ch.check(); err != nil {
		return data, err
	}
	labels, err := hasLabels(ctx, connector, on)
	if err != nil {
		return data, err
	}
	if ch.Labels.Value && labels != nil && !*labels {
		return data, conflict("the account has no labels: only accounts of WhatsApp Business do")
	}
	err = s.changeWithRetry(ctx, func(c *change) error {
		l, err := s.line(c.tx, a, on.LicenseID, on.Messenger, manage)
		if err != nil {
			return err
		}
		if _, err := c.tx.LockLicense(on.LicenseID); err != nil { // one change of settings at a time
			return orNotFound(err, "license")
		}
		row, err := c.tx.LineSettings(on.LicenseID, on.Messenger)
		if err != nil {
			return err
		}
		before := *row
		into(&row.RejectCalls, ch.RejectCalls)
		into(&row.RejectText, ch.RejectText)
		intoNullable(&row.Typing, ch.Typing)
		intoNullable(&row.SendDelay, ch.SendDelay)
		intoNullable(&row.DailyLimit, ch.DailyLimit)
		if proxy := ch.Proxy.Value; ch.Proxy.Set && (proxy == "" || proxy != maskedProxy(row.Proxy)) {
			if proxy != "" {
				if err := checkProxy(proxy); err != nil {
					return err
				}
			}
			row.Proxy = proxy
		}
		into(&row.Labels, ch.Labels)
		into(&row.ReceiveStatus, ch.ReceiveStatus)
		into(&row.ReceiveChannels, ch.ReceiveChannels)
		if into(&row.Disappearing, ch.Disappearing) {
			row.DisappearingSince = c.now.Unix()
		}
		data = lineSettings(row, labels)
		if *row == before {
			return nil
		}
		if err := c.tx.PutLineSettings(row); err != nil {
			return err
		}
		if err := c.labelsSet(on, before.Labels, row.Labels); err != nil {
			return err
		}
		if err := c.wake(connector, on, NewsSettings); err != nil {
			return err
		}
		c.after = append(c.after, func() { connector.Configure(on) })
		return c.audit(l.companyID, audited{
			action: AuditLineSettings, by: a.auditor(), on: lineTarget(on.LicenseID, on.Messenger),
			details: differences(settingsFacts(&before), settingsFacts(row)),
		})
	})
	return data, err
}

// check checks what can be checked without the settings that there are.
func (ch *LineSettingsChanges) check() error {
	var delay, daily error
	if n := ch.SendDelay.Value; n < 0 || n > MaxSendDelay {
		delay = Invalid("sendDelay", "must be from 0 to %d seconds", MaxSendDelay)
	}
	if n := ch.DailyLimit.Value; ch.DailyLimit.Set && !ch.DailyLimit.Null && (n < 1 || n > MaxDailyLimit) {
		daily = Invalid("dailyLimit", "must be from 1 to %d messages, or null", MaxDailyLimit)
	}
	return allViolations(ch.RejectCalls.notNull("rejectCalls"), ch.RejectText.notNull("rejectText"), checkText("rejectText", ch.RejectText.Value, MaxText), ch.Labels.notNull("labels"), delay, daily,
		ch.Disappearing.notNull("disappearing"), checkEphemeral("disappearing", ch.Disappearing),
		ch.ReceiveStatus.notNull("receiveStatus"), ch.ReceiveChannels.notNull("receiveChannels"))
}

// settingsFacts returns settings for the audit log: no text, and no password.
func settingsFacts(row *models.LineSettings) map[string]string {
	facts := map[string]string{
		"rejectCalls": fmt.Sprint(row.RejectCalls), "proxy": maskedProxy(row.Proxy), "typing": "", "sendDelay": "", "dailyLimit": "", "labels": fmt.Sprint(row.Labels),
		"disappearing": fmt.Sprint(row.Disappearing), "receiveStatus": fmt.Sprint(row.ReceiveStatus), "receiveChannels": fmt.Sprint(row.ReceiveChannels),
	}
	if row.Typing != nil {
		facts["typing"] = fmt.Sprint(*row.Typing)
	}
	if row.SendDelay != nil {
		facts["sendDelay"] = fmt.Sprint(*row.SendDelay)
	}
	if row.DailyLimit != nil {
		facts["dailyLimit"] = fmt.Sprint(*row.DailyLimit)
	}
	return facts
}

// AccountSettings returns the settings of a line for its connector.
func (s *Service) AccountSettings(ctx context.Context, on Line) (AccountSettings, error) {
	tx := s.Store.Read(ctx)
	row, err := tx.LineSettings(on.LicenseID, on.Messenger)
	if err != nil {
		return AccountSettings{}, err
	}
	of := &Instance{} // a line without an instance, as tests make them, has the defaults
	switch found, err := tx.InstanceOf(on.LicenseID, on.Messenger); {
	case err == nil:
		if of, err = instance(found); err != nil {
			return AccountSettings{}, err
		}
	case !errors.Is(err, models.ErrNotFound):
		return AccountSettings{}, err
	}
	data := AccountSettings{
		RejectCalls: row.RejectCalls, RejectText: row.RejectText, Proxy: row.Proxy, Typing: row.Typing,
		Disappearing: row.Disappearing, DisappearingSince: row.DisappearingSince,
		ReceiveStatus: row.ReceiveStatus, ReceiveChannels: row.ReceiveChannels,
		AlwaysOnline: of.Settings.AlwaysOnline || of.Settings.Online, ReadMessages: of.Settings.ReadMessages, ReadStatus: of.Settings.ReadStatus,
		SyncFullHistory: of.Settings.SyncFullHistory,
	}
	if row.SendDelay != nil {
		data.SendDelay = new(time.Duration(*row.SendDelay) * time.Second)
	}
	return data, nil
}
