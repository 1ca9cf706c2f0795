package multiwa

import (
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerWebhooks(keyed gin.IRouter) {
	keyed.POST("/webhooks", a.serve(http.StatusCreated, a.createWebhook))
	keyed.GET("/webhooks", a.serve(http.StatusOK, a.webhooks))
	keyed.PUT("/webhooks/:id", a.serve(http.StatusOK, a.changeWebhook))
	keyed.DELETE("/webhooks/:id", a.serve(http.StatusOK, a.deleteWebhook))
	keyed.POST("/webhooks/:id/test", a.testWebhook)
	keyed.POST("/profiles/:id/webhook", a.serve(http.StatusCreated, a.profileWebhook))
}

// webhookData is a webhook, as answers show it. Its headers and its secret are never shown.
type webhookData struct {
	ID        string   `json:"id"`
	ProfileID string   `json:"profileId"`
	URL       string   `json:"url"`
	Events    []string `json:"events"`
	Enabled   bool     `json:"enabled"`
	CreatedAt string   `json:"createdAt"`
}

func webhookOf(of *crm.Instance, e *crm.Endpoint) webhookData {
	d := webhookData{ID: e.PublicID, ProfileID: of.ID, URL: e.URL, Events: e.Events, Enabled: e.Enabled, CreatedAt: isoSeconds(e.CreatedAt)}
	if len(d.Events) == 0 {
		d.Events = []string{everything}
	}
	return d
}

// webhookInput is the body of the requests about webhooks. What is null is not given.
type webhookInput struct {
	ProfileID string             `json:"profileId"`
	URL       *string            `json:"url"`
	Events    json.RawMessage    `json:"events"`
	Headers   *map[string]string `json:"headers"`
	Secret    *string            `json:"secret"`
	Enabled   *bool              `json:"enabled"`
}

// events returns the names of the list, which must not be empty; given is false if there is none.
func (in *webhookInput) events() (list []string, given bool, err error) {
	if len(in.Events) == 0 || string(in.Events) == "null" {
		return nil, false, nil
	}
	list, _, err = parseEvents(in.Events)
	if err != nil {
		return nil, false, crm.Invalid("events", "must be a list of names of events: %v", err)
	}
	if len(list) == 0 {
		return nil, false, crm.Invalid("events", "must name an event; [\"*\"] is all of them")
	}
	return list, true, nil
}

// endpoint returns a new webhook of the request. Where the list of events may be missing, that
// means all.
func (in *webhookInput) endpoint(mustList bool) (e crm.EndpointInput, err error) {
	if in.URL == nil || *in.URL == "" {
		return e, crm.Invalid("url", "is required")
	}
	e = crm.EndpointInput{Format: crm.FormatMultiWA, URL: *in.URL, Enabled: in.Enabled == nil || *in.Enabled}
	list, given, err := in.events()
	switch {
	case err != nil:
		return e, err
	case given:
		e.Events = list
	case mustList:
		return e, crm.Invalid("events", "is required; [\"*\"] is all of them")
	default:
		e.Events = []string{everything}
	}
	if in.Headers != nil {
		e.Options.Headers = *in.Headers
	}
	if in.Secret != nil {
		e.Secret = *in.Secret
	}
	return e, nil
}

func (a *API) createWebhook(c *gin.Context) (any, error) {
	var in webhookInput
	if err := body(c, &in); err != nil {
		return nil, err
	}
	of, err := a.profile(c, in.ProfileID)
	if err != nil {
		return nil, err
	}
	e, err := in.endpoint(true)
	if err != nil {
		return nil, err
	}
	return a.addWebhook(c, of, e)
}

func (a *API) addWebhook(c *gin.Context, of *crm.Instance, e crm.EndpointInput) (any, error) {
	made, err := a.CRM.AddEndpoint(c.Request.Context(), actor(c), of.Line, e)
	if err != nil {
		return nil, err
	}
	return webhookOf(of, made), nil
}

// profileWebhook adds a webhook to a profile, or changes the one that has the address already:
// clients send this each time they start.
func (a *API) profileWebhook(c *gin.Context) (any, error) {
	var in webhookInput
	if err := body(c, &in); err != nil {
		return nil, err
	}
	of, err := a.profile(c, c.Param("id"))
	if err != nil {
		return nil, err
	}
	e, err := in.endpoint(false)
	if err != nil {
		return nil, err
	}
	ch, err := in.changes()
	if err != nil {
		return nil, err
	}
	e.Same = &ch
	return a.addWebhook(c, of, e)
}

func (a *API) webhooks(c *gin.Context) (any, error) {
	of, err := a.profile(c, c.Query("profileId"))
	if err != nil {
		return nil, err
	}
	found, err := a.CRM.Endpoints(c.Request.Context(), actor(c), of.Line, crm.FormatMultiWA)
	if err != nil {
		return nil, err
	}
	list := []webhookData{}
	for i := range found {
		list = append(list, webhookOf(of, &found[i]))
	}
	return list, nil
}

func (a *API) changeWebhook(c *gin.Context) (any, error) {
	var in webhookInput
	if err := body(c, &in); err != nil {
		return nil, err
	}
	ch, err := in.changes()
	if err != nil {
		return nil, err
	}
	changed, err := a.CRM.ChangeEndpoint(c.Request.Context(), actor(c), crm.FormatMultiWA, canonical(c.Param("id")), ch)
	if err != nil {
		return nil, err
	}
	of, err := a.CRM.InstanceOf(c.Request.Context(), actor(c), crm.Line{LicenseID: *changed.LicenseID, Messenger: *changed.MessengerType})
	if err != nil {
		return nil, err
	}
	return webhookOf(of, changed), nil
}

// changes returns what a request gives of a webhook.
func (in *webhookInput) changes() (ch crm.EndpointChanges, err error) {
	list, given, err := in.events()
	if err != nil {
		return ch, err
	}
	if given {
		ch.Events = crm.Value(list)
	}
	if in.URL != nil {
		ch.URL = crm.Value(*in.URL)
	}
	if in.Secret != nil {
		ch.Secret = crm.Value(*in.Secret)
	}
	if in.Headers != nil {
		ch.Options = crm.Value(crm.EndpointOptions{Headers: *in.Headers})
	}
	if in.Enabled != nil {
		ch.Enabled = crm.Value(*in.Enabled)
	}
	return ch, nil
}

func (a *API) deleteWebhook(c *gin.Context) (any, error) {
	return done{}, a.CRM.DeleteEndpoint(c.Request.Context(), actor(c), crm.FormatMultiWA, canonical(c.Param("id")))
}

// tested is how the test of a webhook went.
type tested struct {
	StatusCode *int   `json:"statusCode"` // that the receiver answered; null: it did not
	Duration   int64  `json:"durationMs"`
	Message    string `json:"message,omitempty"` // why it failed
}

// testWebhook posts a test now. Success says whether the receiver took it.
func (a *API) testWebhook(c *gin.Context) {
	attempt, err := a.CRM.TestEndpoint(c.Request.Context(), actor(c), crm.FormatMultiWA, canonical(c.Param("id")))
	if err != nil {
		a.fail(c, err)
		return
	}
	data := tested{StatusCode: given(attempt.Status != 0, attempt.Status), Duration: attempt.Duration.Milliseconds()}
	if attempt.Reason != "" {
		data.Message = attempt.Error
	}
	writeJSON(c, http.StatusCreated, struct {
		Success bool `json:"success"`
		tested
		Data tested `json:"data"`
	}{attempt.Reason == "", data, data})
}
