package whatsapp

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/proto/waCompanionReg"
)

// TestAsksForHistory describes a device that is to be paired: it asks for the whole history only
// if the line is set to.
func TestAsksForHistory(t *testing.T) {
	w := newWorld(t)
	for _, whole := range []bool{false, true} {
		props := &waCompanionReg.DeviceProps{}
		data := payload(w.m.container.newDevice(), whole).GetDevicePairingData()
		if err := proto.Unmarshal(data.GetDeviceProps(), props); err != nil || data == nil {
			t.Fatal(err)
		}
		if props.GetRequireFullSync() != whole || (props.GetHistorySyncConfig().GetFullSyncDaysLimit() == historyDays) != whole || props.GetOs() != deviceName {
			t.Errorf("whole history %v: %v", whole, props)
		}
	}
}

// TestReadsPosts marks what people post as read, if the line is set to, also when posts are not
// kept.
func TestReadsPosts(t *testing.T) {
	w := newWorld(t)
	w.rules.settings.ReadStatus = true
	w.pair(t)
	id := w.anna.PostStatus(w.shop, text("at the sea", nil))
	if err := w.anna.AwaitReceipt(t.Context(), id, "read"); err != nil {
		t.Error(err)
	}
}

// TestRenewConnection renews a connection without pairing again.
func TestRenewConnection(t *testing.T) {
	w := newWorld(t)
	if err := w.m.Restart(t.Context(), testLine); err == nil {
		t.Error("a line that is not connected was restarted")
	}
	w.pair(t)
	before := w.m.serving(testLine).client()
	if err := w.m.Restart(t.Context(), testLine); err != nil {
		t.Fatal(err)
	}
	eventually(t, "there is no other connection", func() bool {
		s := w.m.serving(testLine)
		return s != nil && s.client() != nil && s.client() != before && s.client().IsLoggedIn()
	})
	if n := w.shop.Devices(); n != 1 {
		t.Errorf("%d devices are linked", n)
	}
}
