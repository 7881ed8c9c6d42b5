{{/* The name of the objects: the release's, with the chart's where it is not part of it. A StatefulSet's pods, and so the
program's instances, are named after it; they may have 200 characters. */}}
{{- define "regionwatch.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "regionwatch.fullname" -}}
{{- $name := include "regionwatch.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The name of a stage's own objects. A label of a StatefulSet's pods has its name and eleven characters more, at most 63. */}}
{{- define "regionwatch.stageName" -}}
{{- if .Stage -}}
{{- printf "%s-%s" (include "regionwatch.fullname" . | trunc 42 | trimSuffix "-") .Stage -}}
{{- else -}}
{{- include "regionwatch.fullname" . -}}
{{- end -}}
{{- end -}}

{{/* Labels of all pods of the release. */}}
{{- define "regionwatch.releaseLabels" -}}
app.kubernetes.io/name: {{ include "regionwatch.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of the pods that are members of the stage's consumer group. */}}
{{- define "regionwatch.selectorLabels" -}}
{{ include "regionwatch.releaseLabels" . }}
app.kubernetes.io/component: {{ default "processor" .Stage }}
{{- end -}}

{{- define "regionwatch.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "regionwatch.releaseLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "regionwatch.serviceAccountName" -}}
{{- default (ternary (include "regionwatch.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "regionwatch.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The ConfigMap with the policy; empty if there is none. */}}
{{- define "regionwatch.policyConfigMap" -}}
{{- if .Values.policy.existingConfigMap -}}
{{- .Values.policy.existingConfigMap -}}
{{- else if .Values.policy.text -}}
{{- include "regionwatch.fullname" . }}-policy
{{- end -}}
{{- end -}}

{{/* The job of a stage in Prometheus: that of its PodMonitor. */}}
{{- define "regionwatch.job" -}}
{{ .Release.Namespace }}/{{ include "regionwatch.stageName" . }}
{{- end -}}
