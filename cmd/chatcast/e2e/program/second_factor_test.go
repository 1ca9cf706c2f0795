package program_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/models"
)

// TestSecondFactorIsRequired checks that a person without the second factor that their
// company requires enters no channel until they have set it up.
func TestSecondFactorIsRequired(t *testing.T) {
	p := e2e.Start(t, e2e.Config(t))
	owner := p.SignIn(t)
	if err := p.Components().Store.Tx(t.Context(), func(tx *models.Tx) error { return tx.SetRequireTOTP(2224, true) }); err != nil {
		t.Fatal(err)
	}
	ws := e2e.Dial(t, p.Base)
	_, first, err := ws.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	_, id, _ := strings.Cut(string(first), `socket_id\":\"`)
	id, _, _ = strings.Cut(id, `\"`)
	form := map[string]string{"socket_id": id, "channel_name": "private-v1.users.685"}
	if status, answer := owner.Call("POST", "/broadcasting/auth", form); status != http.StatusForbidden {
		t.Errorf("auth without the second factor: %d %s", status, answer)
	}
	if status, answer := owner.Call("POST", "/broadcasting/user-auth", form); status != http.StatusForbidden {
		t.Errorf("user auth without the second factor: %d %s", status, answer)
	}
	var made struct{ Secret string }
	owner.Must("POST", "/v1/me/totp", map[string]string{"currentPassword": e2e.OwnerPassword}, &made)
	code, err := totp.GenerateCode(made.Secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	owner.Must("POST", "/v1/me/totp/confirm", map[string]string{"code": code}, nil)
	owner.Must("POST", "/broadcasting/auth", form, nil)
}
