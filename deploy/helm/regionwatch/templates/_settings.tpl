{{/* The mounted folders. */}}
{{- define "regionwatch.settingsFolder" -}}/etc/regionwatch/settings{{- end -}}
{{- define "regionwatch.policyFolder" -}}/etc/regionwatch/policy{{- end -}}
{{- define "regionwatch.filesFolder" -}}/etc/regionwatch/files{{- end -}}
{{- define "regionwatch.cacheFolder" -}}/var/lib/regionwatch{{- end -}}

{{/* The settings file: the value settings, and what only the chart knows. YAML numbers are floating point, which would be
written as 6.7108864e+07. */}}
{{- define "regionwatch.settings" -}}
{{- $settings := deepCopy .Values.settings -}}
{{- $_ := set $settings "admin-address" (printf "0.0.0.0:%d" (int .Values.port)) -}}
{{- if include "regionwatch.policyConfigMap" . -}}
{{- $_ := set $settings "policy" (printf "%s/policy.yaml" (include "regionwatch.policyFolder" .)) -}}
{{- end -}}
{{- with .Values.policy.path -}}
{{- $_ := set $settings "policy" . -}}
{{- end -}}
{{- if include "regionwatch.cache" . -}}
{{- $_ := set $settings "policy-cache" (printf "%s/policy-cache" (include "regionwatch.cacheFolder" .)) -}}
{{- end -}}
{{- range $name, $from := .Values.settingsFromFiles -}}
{{- $_ := set $settings $name (default (printf "%s/%s" (include "regionwatch.filesFolder" $) $name) $from.path) -}}
{{- end -}}
{{- include "regionwatch.settingLines" $settings -}}
{{- end -}}

{{- define "regionwatch.settingLines" -}}
{{- range $name, $value := . -}}
{{ $name }}: {{ if kindIs "float64" $value }}{{ int64 $value }}{{ else }}{{ toJson $value }}{{ end }}
{{ end -}}
{{- end -}}

{{/* Whether the last good policy is kept. */}}
{{- define "regionwatch.cache" -}}
{{- if or .Values.policy.cache.claim .Values.policy.cache.size -}}true{{- end -}}
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

{{/* How long a pod may take to end: the program gives up by force 5 s after its drain timeout; the rest is for the container
runtime. */}}
{{- define "regionwatch.terminationSeconds" -}}
{{- add (include "regionwatch.drainSeconds" .) 14 -}}
{{- end -}}

{{/* The files of the files volume by name: those of settingsFromFiles without a path, and the CA of the token URL. */}}
{{- define "regionwatch.files" -}}
{{- $files := dict -}}
{{- range $name, $from := .Values.settingsFromFiles -}}
{{- if not $from.path -}}{{- $_ := set $files $name $from -}}{{- end -}}
{{- end -}}
{{- with .Values.tokenURLCA -}}{{- $_ := set $files "token-url-ca" . -}}{{- end -}}
{{- toJson $files -}}
{{- end -}}

{{/* GOMEMLIMIT: a percentage of the memory limit, whose quantity may have a suffix; empty if there is none. */}}
{{- define "regionwatch.gomemlimit" -}}
{{- $limit := dig "limits" "memory" "" .Values.resources | toString -}}
{{- if and $limit .Values.gomemlimitPercent -}}
{{- $number := regexFind "^[0-9.]+" $limit -}}
{{- $suffix := trimPrefix $number $limit -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 -}}
{{- if not (hasKey $units $suffix) -}}
{{- fail (printf "%sresources.limits.memory is %s: GOMEMLIMIT is a percentage of it, which takes the units k, M, G, Ki, Mi and Gi; or set gomemlimitPercent to 0" (ternary "incidents." "" (hasKey . "Stage")) $limit) -}}
{{- end -}}
{{- divf (mulf (float64 $number) (get $units $suffix) .Values.gomemlimitPercent) 100 | floor | int64 -}}
{{- end -}}
{{- end -}}
