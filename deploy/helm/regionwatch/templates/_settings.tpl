{{/* The folders that are mounted. */}}
{{- define "regionwatch.settingsFolder" -}}/etc/regionwatch/settings{{- end -}}
{{- define "regionwatch.policyFolder" -}}/etc/regionwatch/policy{{- end -}}
{{- define "regionwatch.filesFolder" -}}/etc/regionwatch/files{{- end -}}

{{/* The settings file: what values.yaml gives, and what only the chart knows. Numbers come from YAML as floating point, and
would be written as 6.7108864e+07. */}}
{{- define "regionwatch.settings" -}}
{{- $settings := deepCopy .Values.settings -}}
{{- $_ := set $settings "admin-address" (printf "0.0.0.0:%d" (int .Values.port)) -}}
{{- if include "regionwatch.policyConfigMap" . -}}
{{- $_ := set $settings "policy" (printf "%s/policy.yaml" (include "regionwatch.policyFolder" .)) -}}
{{- end -}}
{{- range $name, $_ := .Values.settingsFromFiles -}}
{{- $_ := set $settings $name (printf "%s/%s" (include "regionwatch.filesFolder" $) $name) -}}
{{- end -}}
{{- range $name, $value := $settings -}}
{{ $name }}: {{ if kindIs "float64" $value }}{{ int64 $value }}{{ else }}{{ toJson $value }}{{ end }}
{{ end -}}
{{- end -}}

{{- define "regionwatch.exactlyOnce" -}}
{{- if eq (default "at-least-once" .Values.settings.delivery) "exactly-once" -}}true{{- end -}}
{{- end -}}

{{/* The setting drain-timeout in seconds, rounded up. Sprig cannot read a duration, but it can add one to a time. */}}
{{- define "regionwatch.drainSeconds" -}}
{{- $epoch := toDate "2006-01-02" "1970-01-01" -}}
{{- $value := default "25s" (index .Values.settings "drain-timeout") -}}
{{- $end := mustDateModify (printf "+%s" $value) $epoch -}}
{{- add1 (sub (unixEpoch $end) (unixEpoch $epoch)) -}}
{{- end -}}

{{/* How long a pod may take to end: the program gives up by force 5 s beyond its drain timeout, and the rest is for the
container to be told and to go. */}}
{{- define "regionwatch.terminationSeconds" -}}
{{- add (include "regionwatch.drainSeconds" .) 14 -}}
{{- end -}}
