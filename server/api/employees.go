package api

import (
	"github.com/gin-gonic/gin"

	"chatcast/crm"
)

func (a *API) registerEmployees(signedIn gin.IRouter) {
	employees := signedIn.Group("/companies/:companyId/employees")
	employees.GET("", a.withID("companyId", a.employees))
	employees.POST("", noStore, a.withID("companyId", a.invite)) // the answer contains a code
	employees.GET("/:userId", a.withIDs("companyId", "userId", a.employee))
	employees.PATCH("/:userId", a.withIDs("companyId", "userId", a.changeEmployee))
	employees.DELETE("/:userId", a.withIDs("companyId", "userId", a.removeEmployee))
	employees.PUT("/:userId/workday", a.withIDs("companyId", "userId", a.workday))
}

func (a *API) employees(c *gin.Context, companyID int64) (any, error) {
	return a.CRM.Employees(c.Request.Context(), actor(c), companyID, queryPage(c))
}

func (a *API) employee(c *gin.Context, companyID, userID int64) (any, error) {
	return a.CRM.Employee(c.Request.Context(), actor(c), companyID, userID)
}

func (a *API) changeEmployee(c *gin.Context, companyID, userID int64) (any, error) {
	var ch crm.EmployeeChanges
	if err := bodyWithoutPassword(c, &ch, "people change their own, with PATCH /v1/me"); err != nil {
		return nil, err
	}
	return a.CRM.ChangeEmployee(c.Request.Context(), actor(c), companyID, userID, ch)
}

func (a *API) removeEmployee(c *gin.Context, companyID, userID int64) (any, error) {
	return nil, a.CRM.RemoveEmployee(c.Request.Context(), actor(c), companyID, userID)
}

func (a *API) workday(c *gin.Context, companyID, userID int64) (any, error) {
	var in struct {
		Type string `json:"type"`
	}
	if err := body(c, &in); err != nil {
		return nil, err
	}
	return a.CRM.Workday(c.Request.Context(), actor(c), companyID, userID, in.Type)
}
