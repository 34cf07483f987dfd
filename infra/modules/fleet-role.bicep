// What the app may do to the fleet in one subscription: a custom role with exactly the actions that its calls need.
targetScope = 'subscription'

param principalId string
param environmentName string

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, 'sluice', environmentName)
  properties: {
    roleName: 'Sluice fleet updater (${environmentName}, ${subscription().displayName})'
    description: 'Reads Arc-enabled Kubernetes clusters and sets the revisions of their Flux configurations.'
    type: 'CustomRole'
    assignableScopes: [subscription().id]
    permissions: [
      {
        actions: [
          'Microsoft.Kubernetes/connectedClusters/read'
          'Microsoft.KubernetesConfiguration/fluxConfigurations/read'
          'Microsoft.KubernetesConfiguration/fluxConfigurations/write'
          'Microsoft.ResourceGraph/resources/read'
        ]
        notActions: []
      }
    ]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, principalId, role.id)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: role.id
  }
}
