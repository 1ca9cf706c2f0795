package multiwa

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerProfiles(keyed gin.IRouter) {
	keyed.POST("/profiles", a.serve(http.StatusCreated, a.createProfile))
	keyed.GET("/profiles", a.serve(http.StatusOK, a.profiles))
	keyed.GET("/profiles/:id", a.serve(http.StatusOK, a.showProfile))
	keyed.PUT("/profiles/:id", a.serve(http.StatusOK, a.changeProfile))
	keyed.DELETE("/profiles/:id", a.serve(http.StatusOK, a.deleteProfile))
	keyed.POST("/profiles/:id/connect", a.serve(http.StatusCreated, a.connect))
	keyed.POST("/profiles/:id/disconnect", a.serve(http.StatusCreated, a.disconnect))
	keyed.GET("/profiles/:id/qr", a.serve(http.StatusOK, a.qr))
	keyed.GET("/accounts/:account/profiles/:id/qr", a.serve(http.StatusOK, a.qr)) // older clients; there are no accounts
	keyed.GET("/profiles/:id/status", a.serve(http.StatusOK, a.status))
}

// profileData is a profile, as answers show it.
type profileData struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	Status    string  `json:"status"`
	Phone     *string `json:"phone"`
	Engine    string  `json:"engine"`
	CreatedAt string  `json:"createdAt"`
	UpdatedAt string  `json:"updatedAt"`

	// Only keys with the right manage see these. A delay of null is that of the server.
	*profileSettings
}

type profileSettings struct {
	Delay *int64 `json:"messageDelayMs"`
	Daily *int64 `json:"dailyMessageLimit"` // null: any number
}

// engine is what serves the profiles.
const engine = "whatsmeow"

// lineStatus returns the status of a profile. A key that may not read it, but pair it, sees
// what it needs for that.
func (a *API) lineStatus(c *gin.Context, of *crm.Instance) (crm.LineStatus, string, error) {
	ctx := c.Request.Context()
	st, err := a.CRM.LineStatus(ctx, actor(c), of.Line)
	var refused *crm.Error
	if errors.As(err, &refused) && refused.Code == crm.CodeDenied && key(c).Has(crm.KeyManage) {
		st, err = a.CRM.InstanceStatus(ctx, actor(c), of.Name)
	}
	if err != nil {
		return st, "", err
	}
	status, _ := sessionStatus(st.State)
	if st.Connected {
		status = statusConnected
	}
	return st, status, nil
}

func (a *API) profileData(c *gin.Context, of *crm.Instance) (*profileData, error) {
	st, status, err := a.lineStatus(c, of)
	if err != nil {
		return nil, err
	}
	settings, err := a.settings(c, of)
	return &profileData{
		ID: of.ID, Name: of.Name, Status: status, Phone: st.Phone, Engine: engine, CreatedAt: iso(of.CreatedAt), UpdatedAt: iso(of.UpdatedAt),
		profileSettings: settings,
	}, err
}

const second = 1000 // milliseconds

// settings returns the settings of a profile; nil: the key may not see them, or there are none.
func (a *API) settings(c *gin.Context, of *crm.Instance) (*profileSettings, error) {
	set, err := a.CRM.LineSettings(c.Request.Context(), actor(c), of.Line)
	var none *crm.Error
	if errors.As(err, &none) && (none.Code == crm.CodeDenied || none.Code == crm.CodeConflict) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := &profileSettings{Daily: set.DailyLimit}
	if set.SendDelay != nil {
		s.Delay = given(true, *set.SendDelay*second)
	}
	return s, nil
}

func (a *API) profiles(c *gin.Context) (any, error) {
	found, err := a.CRM.Instances(c.Request.Context(), actor(c))
	if err != nil {
		return nil, err
	}
	list := []*profileData{}
	for i := range found {
		p, err := a.profileData(c, &found[i])
		var refused *crm.Error
		if errors.As(err, &refused) && refused.Code == crm.CodeDenied { // the key may send for it, and not see it
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func (a *API) showProfile(c *gin.Context) (any, error) {
	of, err := a.profile(c, c.Param("id"))
	if err != nil {
		return nil, err
	}
	return a.profileData(c, of)
}

// createProfile makes a line with an account of its own. There are no workspaces here: the
// profile belongs to the company of the key.
func (a *API) createProfile(c *gin.Context) (any, error) {
	var in struct {
		Name   string `json:"name"`
		URL    string `json:"webhookUrl"`
		Secret string `json:"webhookSecret"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	input := crm.InstanceInput{CompanyID: key(c).CompanyID, Name: in.Name}
	switch {
	case in.URL != "":
		input.Endpoint = &crm.EndpointInput{Format: crm.FormatMultiWA, URL: in.URL, Secret: in.Secret, Events: []string{everything}, Enabled: true}
	case in.Secret != "":
		return nil, crm.Invalid("webhookUrl", "is required with webhookSecret")
	}
	made, err := a.CRM.CreateInstance(c.Request.Context(), actor(c), input)
	if err != nil {
		return nil, err
	}
	return a.profileData(c, &made.Instance)
}

// changeProfile renames a profile, and sets the time between two messages and how many there
// may be in a day.
func (a *API) changeProfile(c *gin.Context) (any, error) {
	var in struct {
		Name  *string            `json:"name"`
		Delay *float64           `json:"messageDelayMs"`
		Daily crm.Field[float64] `json:"dailyMessageLimit"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	ch, err := settingsChanges(in.Delay, in.Daily)
	if err != nil {
		return nil, err
	}
	of, err := a.profile(c, c.Param("id"))
	if err != nil {
		return nil, err
	}
	ctx := c.Request.Context()
	if ch.SendDelay.Set || ch.DailyLimit.Set {
		if _, err := a.CRM.ChangeLineSettings(ctx, actor(c), of.Line, ch); err != nil {
			return nil, err
		}
	}
	if in.Name != nil && *in.Name != of.Name {
		changed, err := a.CRM.ChangeInstance(ctx, actor(c), of.Name, crm.InstanceChanges{Name: crm.Field[string]{Set: true, Value: *in.Name}})
		if err != nil {
			return nil, err
		}
		of = changed
	}
	return a.profileData(c, of)
}

// settingsChanges returns changes of settings. Delays are whole seconds here.
func settingsChanges(delay *float64, daily crm.Field[float64]) (ch crm.LineSettingsChanges, err error) {
	if delay != nil {
		if *delay < 0 || *delay > crm.MaxSendDelay*second {
			return ch, crm.Invalid("messageDelayMs", "must be from 0 to %d", crm.MaxSendDelay*second)
		}
		ch.SendDelay = crm.Value((int64(*delay) + second - 1) / second)
	}
	n := daily.Value
	if daily.Set && !daily.Null && (n < 1 || n > crm.MaxDailyLimit || n != float64(int64(n))) {
		return ch, crm.Invalid("dailyMessageLimit", "must be a whole number from 1 to %d, or null", crm.MaxDailyLimit)
	}
	ch.DailyLimit = crm.Field[int64]{Set: daily.Set, Null: daily.Null, Value: int64(n)}
	return ch, nil
}

func (a *API) deleteProfile(c *gin.Context) (any, error) {
	of, err := a.profile(c, c.Param("id"))
	if err == nil {
		err = a.CRM.DeleteInstance(c.Request.Context(), actor(c), of.Name)
	}
	return done{}, err
}

// mustManage refuses a key without the right manage, whatever the state of the profile is.
func mustManage(c *gin.Context) error {
	if key(c).Has(crm.KeyManage) {
		return nil
	}
	return &crm.Error{Code: crm.CodeDenied, Message: "this key does not have the right " + crm.KeyManage}
}

// connecting is the answer to connect.
type connecting struct {
	Status  string  `json:"status"`
	Message string  `json:"message,omitempty"`
	Phone   *string `json:"phone,omitempty"`
}

// connect begins to pair an account. A profile that has one connects by itself.
func (a *API) connect(c *gin.Context) (any, error) {
	of, err := a.profile(c, c.Param("id"))
	if err == nil {
		err = mustManage(c)
	}
	if err != nil {
		return nil, err
	}
	st, status, err := a.lineStatus(c, of)
	if err != nil {
		return nil, err
	}
	if status == statusConnected {
		return connecting{Status: "already_connected", Phone: st.Phone}, nil
	}
	if st.State == crm.StateConnecting || st.State == crm.StateDisconnected {
		return connecting{Status: statusConnecting, Message: "The account connects by itself"}, nil
	}
	if _, err := a.CRM.Pair(c.Request.Context(), actor(c), of.Line, nil); err != nil {
		return nil, err
	}
	return connecting{Status: statusConnecting, Message: "Scan the QR code of GET /profiles/" + of.ID + "/qr, or of the event qr.updated"}, nil
}

// disconnect logs the account out.
func (a *API) disconnect(c *gin.Context) (any, error) {
	of, err := a.profile(c, c.Param("id"))
	if err == nil {
		err = a.CRM.Logout(c.Request.Context(), actor(c), of.Line)
	}
	return map[string]string{"status": statusDisconnected}, err
}

// qr answers with the code to scan now. It does not begin to pair.
func (a *API) qr(c *gin.Context) (any, error) {
	c.Header("Cache-Control", "no-store")
	of, err := a.profile(c, c.Param("id"))
	if err == nil {
		err = mustManage(c)
	}
	if err != nil {
		return nil, err
	}
	none := &crm.Error{Code: crm.CodeNotFound, Message: "There is no QR code now"}
	st, _, err := a.lineStatus(c, of)
	if err != nil {
		return nil, err
	}
	if st.State != crm.StatePairing {
		return nil, none
	}
	pairing, err := a.CRM.Pair(c.Request.Context(), actor(c), of.Line, nil)
	if err != nil {
		return nil, err
	}
	if pairing.QR == nil {
		return nil, none
	}
	return map[string]string{"qr": crm.QRPictureURL(*pairing.QR)}, nil
}

// statusData is the answer to status.
type statusData struct {
	ID              string  `json:"id"`
	Name            string  `json:"name"`
	Status          string  `json:"status"`
	Phone           *string `json:"phone"`
	LastConnectedAt *string `json:"lastConnectedAt"` // null: it is not kept
	EngineConnected bool    `json:"engineConnected"`
}

func (a *API) status(c *gin.Context) (any, error) {
	of, err := a.profile(c, c.Param("id"))
	if err != nil {
		return nil, err
	}
	st, status, err := a.lineStatus(c, of)
	if err != nil {
		return nil, err
	}
	return statusData{ID: of.ID, Name: of.Name, Status: status, Phone: st.Phone, EngineConnected: st.Connected}, nil
}
