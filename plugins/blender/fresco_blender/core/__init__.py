"""What the plugin does, apart from Blender: nothing in here imports bpy."""
