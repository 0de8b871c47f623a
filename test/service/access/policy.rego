package logodds

default allow := {"allow": false, "reason": "shop scores codes"}

allow := {"allow": true} if {
	input.caller.name == "shop"
	input.caller.by == "jwt"
	input.verb == "score"
	input.model == "codes"
	input.method == "POST"
	startswith(input.path, "/models/")
	"score:codes" in input.scopes
}
