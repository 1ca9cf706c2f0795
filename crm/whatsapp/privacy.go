package whatsapp

import (
	"context"

	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

var _ crm.PrivacyMessenger = (*Messenger)(nil)

// privacyNames are WhatsApp's names of the settings.
var privacyNames = map[crm.PrivacySetting]types.PrivacySettingType{
	crm.PrivacyReadReceipts: types.PrivacySettingTypeReadReceipts, crm.PrivacyPicture: types.PrivacySettingTypeProfile, crm.PrivacyAbout: types.PrivacySettingTypeStatus,
	crm.PrivacyOnline: types.PrivacySettingTypeOnline, crm.PrivacyLastSeen: types.PrivacySettingTypeLastSeen, crm.PrivacyGroupAdd: types.PrivacySettingTypeGroupAdd,
}

var privacyMethod = method[none, *crm.Privacy]{"privacy", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, _ none) (p *crm.Privacy, err error) {
	return p, m.ask(ctx, l, func(q asked) error {
		now, err := q.cli.TryFetchPrivacySettings(q.ctx, true)
		if err != nil {
			return err
		}
		p = &crm.Privacy{
			ReadReceipts: seenBy(now.ReadReceipts), Picture: seenBy(now.Profile), About: seenBy(now.Status),
			Online: seenBy(now.Online), LastSeen: seenBy(now.LastSeen), GroupAdd: seenBy(now.GroupAdd),
		}
		return nil
	})
}}

// seenBy returns WhatsApp's value of a setting. It may be one that is not known here.
func seenBy(value types.PrivacySetting) string { return content.Clip(string(value), 32) }

// Privacy implements crm.PrivacyMessenger. WhatsApp is asked each time: the phone may have
// changed something.
func (m *Messenger) Privacy(ctx context.Context, l crm.Line) (*crm.Privacy, error) {
	return privacyMethod.call(ctx, m, l, none{})
}

type privacyArgs struct {
	What  crm.PrivacySetting
	Value string
}

var setPrivacyMethod = method[privacyArgs, none]{"set privacy", toAsk, func(ctx context.Context, m *Messenger, l crm.Line, a privacyArgs) (none, error) {
	return none{}, m.ask(ctx, l, func(q asked) error {
		_, err := q.cli.SetPrivacySetting(q.ctx, privacyNames[a.What], types.PrivacySetting(a.Value))
		return err
	})
}}

// SetPrivacy implements crm.PrivacyMessenger.
func (m *Messenger) SetPrivacy(ctx context.Context, l crm.Line, what crm.PrivacySetting, value string) error {
	_, err := setPrivacyMethod.call(ctx, m, l, privacyArgs{what, value})
	return err
}
