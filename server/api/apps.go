package api

import (
	"bytes"

	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerApps(signedIn gin.IRouter) {
	apps := signedIn.Group("/apps")
	apps.GET("", a.serve(func(c *gin.Context) (any, error) {
		return a.CRM.Apps(actor(c)).List(c.Request.Context())
	}))
	apps.POST("", a.serve(a.createApp))
	apps.GET("/:id", a.serve(func(c *gin.Context) (any, error) {
		return a.CRM.Apps(actor(c)).Get(c.Request.Context(), c.Param("id"))
	}))
	apps.PATCH("/:id", a.serve(a.editApp))
	apps.DELETE("/:id", a.serve(func(c *gin.Context) (any, error) {
		return nil, a.CRM.Apps(actor(c)).Delete(c.Request.Context(), c.Param("id"))
	}))
	apps.POST("/:id/rotate", a.serve(a.rotateApp))
	apps.GET("/:id/webhooks", a.serve(func(c *gin.Context) (any, error) {
		return a.CRM.Apps(actor(c)).Webhooks(c.Request.Context(), c.Param("id"))
	}))
	hook := apps.Group("/:id/webhooks/:webhookId")
	hook.GET("/deliveries", a.serve(a.webhookDeliveries))
	hook.POST("/redeliver", a.serve(a.redeliverWebhook))
	hook.POST("/resume", a.serve(func(c *gin.Context) (any, error) {
		return a.CRM.Apps(actor(c)).ResumeWebhook(c.Request.Context(), c.Param("id"), c.Param("webhookId"))
	}))
}

// createApp answers with the new app and its secret, which must not be cached.
func (a *API) createApp(c *gin.Context) (any, error) {
	var in crm.AppInput
	if err := a.operatorsBody(c, &in); err != nil {
		return nil, err
	}
	c.Header("Cache-Control", "no-store")
	return a.CRM.Apps(actor(c)).Create(c.Request.Context(), in)
}

func (a *API) editApp(c *gin.Context) (any, error) {
	var in crm.AppInput
	if err := a.operatorsBody(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.Apps(actor(c)).Edit(c.Request.Context(), c.Param("id"), in)
}

// rotateApp accepts an empty body too.
func (a *API) rotateApp(c *gin.Context) (any, error) {
	var in crm.RotateInput
	if err := a.operatorsBody(c, &in); err != nil {
		return nil, err
	}
	c.Header("Cache-Control", "no-store")
	return a.CRM.Apps(actor(c)).Rotate(c.Request.Context(), c.Param("id"), in)
}

func (a *API) webhookDeliveries(c *gin.Context) (any, error) {
	rules := a.CRM.Apps(actor(c))
	if err := rules.Allowed(c.Request.Context()); err != nil {
		return nil, err
	}
	failed, err := queryBool(c, "failed")
	if err != nil {
		return nil, err
	}
	return rules.WebhookDeliveries(c.Request.Context(), c.Param("id"), c.Param("webhookId"), crm.AppWebhookLogQuery{PageQuery: queryPage(c), Failed: failed})
}

func (a *API) redeliverWebhook(c *gin.Context) (any, error) {
	var in struct {
		DeliveryID *int64 `json:"deliveryId"`
	}
	if err := a.operatorsBody(c, &in); err != nil {
		return nil, err
	}
	if in.DeliveryID == nil {
		return nil, crm.Invalid("deliveryId", "is required")
	}
	return a.CRM.Apps(actor(c)).RedeliverWebhook(c.Request.Context(), c.Param("id"), c.Param("webhookId"), *in.DeliveryID)
}

// operatorsBody decodes the JSON body, which may be empty, if the user may change the
// apps. It refuses others before it looks at their request.
func (a *API) operatorsBody(c *gin.Context, dst any) error {
	if err := a.CRM.Apps(actor(c)).Allowed(c.Request.Context()); err != nil {
		return err
	}
	raw, err := readAnyBody(c)
	if err != nil || len(bytes.TrimSpace(raw)) == 0 {
		return err
	}
	return decode(raw, dst, "")
}
