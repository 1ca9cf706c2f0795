package api

import "github.com/gin-gonic/gin"

func (a *API) registerEmployees(signedIn gin.IRouter) {}
